/** The size of an axis: as the program writes it, and what it is where this is written, unless only a batch tells. */
export interface Size {
  readonly text: string
  readonly size: number | undefined
}

export type Dtype = 'f32' | 'i32' | 'bool'

/** A tensor that a program has a name for. */
export interface Value {
  /** An operand: a name, a path or a call. */
  readonly text: string
  readonly dtype: Dtype
  readonly dims: readonly Size[]
  /** Whole numbers lie from 0 up to but not including it. */
  readonly top?: number
}

export const fixed = (size: number): Size => ({ text: `${size}`, size })

export const isBatch = ({ size }: Size): boolean => size === undefined

/** Whether a size is written as a number. */
export const isNumber = ({ text }: Size): boolean => /^\d+$/.test(text)

export const sameSize = (a: Size, b: Size): boolean => a.text === b.text

export const sameShape = (a: readonly Size[], b: readonly Size[]): boolean =>
  a.length === b.length && a.every((size, i) => sameSize(size, b[i]!))

/** The product of two sizes. */
export function times(a: Size, b: Size): Size {
  const size = a.size === undefined || b.size === undefined ? undefined : a.size * b.size
  const isPlain = isNumber(a) && isNumber(b)
  return { text: isPlain ? `${size}` : `${operand(a)} * ${operand(b)}`, size }
}

/** A size and so many more, or fewer. */
export function plus(a: Size, by: number): Size {
  const size = a.size === undefined ? undefined : a.size + by
  return { text: isNumber(a) ? `${size}` : `${a.text} ${by < 0 ? '-' : '+'} ${Math.abs(by)}`, size }
}

const operand = ({ text }: Size): string => (/^[\w.]+$/.test(text) ? text : `(${text})`)

/** `f32[n, 3]`. */
export function typeText({ dtype, dims }: Pick<Value, 'dtype' | 'dims'>): string {
  return dims.length === 0 ? dtype : `${dtype}[${dims.map(({ text }) => text).join(', ')}]`
}

/** How many elements there are, as far as that is known: the batch counts for one. */
export const elements = ({ dims }: Pick<Value, 'dims'>): number =>
  dims.reduce((product, { size = 1 }) => product * size, 1)

/** A size in other terms: of a function's or a module's own names, what they are where it is used. */
export function substituted({ text, size }: Size, names: ReadonlyMap<string, Size>): Size {
  const written = text.replace(/[a-z]\w*/g, word => {
    const given = names.get(word)
    return given === undefined ? word : operand(given)
  })
  const isKnown = size !== undefined && !/[a-z]/.test(written)
  return { text: isKnown ? `${size}` : written, size }
}

/** The lines of a block. */
export const indented = (lines: readonly string[]): readonly string[] =>
  lines.flatMap(line => line.split('\n')).map(line => `  ${line}`)
