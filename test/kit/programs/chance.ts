import { randomOf } from '../mutants.ts'

/** Choices from a seed. */
export class Chance {
  readonly #next: () => number

  constructor(seed: number) {
    this.#next = randomOf(seed)
  }

  /** A whole number from 0 up to but not including `limit`. */
  below(limit: number): number {
    return Math.floor(this.#next() * limit)
  }

  /** A whole number, both ends included. */
  between(low: number, high: number): number {
    return low + this.below(high - low + 1)
  }

  maybe(probability = 0.5): boolean {
    return this.#next() < probability
  }

  pick<T>(items: readonly T[]): T {
    const item = items[this.below(items.length)]
    if (item === undefined) throw new Error('there is nothing to choose from')
    return item
  }

  /** The same items in another order. */
  shuffled<T>(items: readonly T[]): readonly T[] {
    return items
      .map(item => ({ item, place: this.#next() }))
      .sort((a, b) => a.place - b.place)
      .map(({ item }) => item)
  }
}
