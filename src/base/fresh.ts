/** Gives each name once: `h`, `h.1`, `h.2` … */
export class NameSupply {
  readonly #used = new Map<string, number>()

  fresh(name: string): string {
    const count = this.#used.get(name)
    if (count === undefined) {
      this.#used.set(name, 0)
      return name
    }
    this.#used.set(name, count + 1)
    return this.fresh(`${name}.${count + 1}`)
  }
}
