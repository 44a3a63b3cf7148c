/** A constraint with its arguments, on a parameter of a shape, as functions from numbers to numbers (row by row). */
export interface Subject {
  readonly bijective: boolean
  /** Each parameter has buffers of its own, which stand still here. */
  readonly stateful: boolean
  readonly shape: readonly number[]
  /** Of the raw tensor. */
  readonly raw: readonly number[]
  /** Beyond this raw size the value has lost the digits that its inverse would need. */
  readonly largest: number
  readonly forward: (raw: readonly number[]) => readonly number[]
  /** The gradient of the product of the value with `by`. */
  readonly gradient: (raw: readonly number[], by: readonly number[]) => readonly number[]
  /** What `check` says of each element; undefined where there is none. */
  readonly check: ((value: readonly number[]) => readonly boolean[]) | undefined
  readonly inverse: ((value: readonly number[]) => readonly number[]) | undefined
  /** Its elements added up. */
  readonly logDet: ((raw: readonly number[]) => number) | undefined
  /** Two of them at once; undefined where the declared shape leaves no room for more. */
  readonly two: ((raws: readonly number[]) => readonly number[]) | undefined
  /** How often it is computed in a step that reads the parameter three times. */
  readonly computed: number
}

/** Where a subject is evaluated. */
export interface Place {
  /** The backends that have to agree; the first one is the one to compare with. */
  readonly backends: readonly string[]
  readonly on: (backend: string) => Promise<void>
  /** In 64-bit floats. */
  readonly inDouble: <T>(use: () => T) => T
}

/** What came of a law. */
export type Outcome =
  | { readonly kind: 'holds'; readonly what: string }
  | { readonly kind: 'open'; readonly why: string }
  | {
      readonly kind: 'broken'
      /** The function that is to blame, as far as one can tell. */
      readonly role: 'forward' | 'inverse' | 'log_det' | 'check' | 'raw'
      readonly problem: string
    }

/** How many numbers a tensor has. */
export const count = (shape: readonly number[]): number => shape.reduce((product, size) => product * size, 1)
