/** The top level of a program. */
export class Declarations {
  readonly texts: string[] = []
  /** How many declarations are being written, one inside of the other. */
  depth = 0
  #count = 0

  /** How many statements a body has, more or less. */
  readonly size: number

  constructor(size: number) {
    this.size = size
  }

  /** A name that nothing has. */
  fresh(prefix: string): string {
    this.#count += 1
    return `${prefix}${this.#count}`
  }

  declare(text: string): void {
    this.texts.push(text)
  }

  /** Declares something once, by its first line. */
  need(text: string): void {
    if (!this.texts.includes(text)) this.texts.unshift(text)
  }
}
