import { count, type Subject } from './subject.ts'

/** The raw values at which a value must satisfy its constraint and have a finite gradient. */
const sizes = [0, 1e-6, -1e-6, 1, -1, 8, -8, 20, -20, 90, -90]

/** Raw values of a subject: each size in all elements, then draws that differ between elements. */
export function raws(subject: Subject, seed: number): readonly (readonly number[])[] {
  const length = count(subject.raw)
  return [...sizes.map(size => Array<number>(length).fill(size)), ...draws(length, seed)]
}

/** The same within what the map is expected to keep all digits of. */
export function rawsWithin(subject: Subject, seed: number, largest: number): readonly (readonly number[])[] {
  return raws(subject, seed).filter(raw => raw.every(y => Math.abs(y) <= largest))
}

/**
 * Raw values at which finite differences can tell the slope. Next to 0, where maps may have a kink, they would see both
 * of its sides.
 */
export function rawsWithSlope(subject: Subject, seed: number): readonly (readonly number[])[] {
  return rawsWithin(subject, seed, 4).filter(raw => raw.every(y => y === 0 || Math.abs(y) > 0.01))
}

/** A raw value without any symmetry, at which the map has the rank that it has almost everywhere. */
export function generic({ raw }: Subject, seed: number): readonly number[] {
  return draw(count(raw), 0.5, seed)
}

export function draws(length: number, seed: number): readonly (readonly number[])[] {
  return [1, 10, 90].map(scale => draw(length, scale, seed))
}

function draw(length: number, scale: number, seed: number): readonly number[] {
  return Array.from(
    { length },
    (_, i) => scale * Math.sqrt(2) * Math.sin(12.9898 * (i + 1) + scale + 78.233 * seed),
  )
}

/** What the elements of a value weigh in the sum that is differentiated. */
export function weights({ shape }: Subject): readonly number[] {
  return Array.from({ length: count(shape) }, (_, i) => Math.cos(i + 1))
}
