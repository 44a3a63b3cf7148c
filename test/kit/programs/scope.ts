import type { Chance } from './chance.ts'
import type { Declarations } from './declarations.ts'
import { type Dtype, isBatch, type Size, typeText, type Value } from './values.ts'

/** What the functions of a module may declare beside themselves. */
export interface Members {
  readonly lines: string[]
  /** Whether a call changes a buffer, which no loop over an axis may do. */
  stateful: boolean
}

/** Where statements are written. */
export interface Place {
  readonly program: Declarations
  readonly chance: Chance
  readonly members?: Members | undefined
  readonly isLoop?: boolean
}

/** A list of statements that grows, and the values that it may use. */
export class Scope {
  readonly lines: string[] = []
  readonly #values: Value[]
  readonly #unused = new Set<string>()

  readonly program: Declarations
  readonly chance: Chance
  /** The module around it; functions and steps have none. */
  readonly members: Members | undefined
  /** Nothing in a loop over an axis may change a buffer, and loops do not lie in loops. */
  readonly isLoop: boolean
  /** What stands around this block, which sees its values. */
  readonly #parent: Scope | undefined

  constructor(place: Place, values: readonly Value[], parent?: Scope) {
    this.program = place.program
    this.chance = place.chance
    this.members = place.members
    this.isLoop = place.isLoop ?? false
    this.#parent = parent
    this.#values = [...(parent?.values ?? []), ...values]
    for (const { text } of values) this.#unused.add(text)
  }

  get isBlock(): boolean {
    return this.#parent !== undefined
  }

  /** A block inside of this one. */
  within(values: readonly Value[], isLoop = this.isLoop): Scope {
    const { program, chance, members } = this
    return new Scope({ program, chance, members, isLoop }, values, this)
  }

  get values(): readonly Value[] {
    return this.#values
  }

  /** Names the value of an expression. */
  bind(expression: string, dims: readonly Size[], dtype: Dtype = 'f32', top?: number): Value {
    const text = this.program.fresh('v')
    const value = { text, dtype, dims, ...(top === undefined ? {} : { top }) }
    const type = this.chance.maybe(0.15) ? `: ${typeText(value)}` : ''
    this.lines.push(`let ${text}${type} = ${expression}`)
    return this.add(value)
  }

  /** Something that stands here under a name of its own. */
  add(value: Value): Value {
    this.#values.push(value)
    this.#unused.add(value.text)
    return value
  }

  /** The text of a value, which has a reader then. */
  use(value: Value): string {
    const { text } = value
    this.#unused.delete(text)
    this.#parent?.use(value)
    return text
  }

  /** One of the values for which a condition holds, newer ones more often. */
  find(holds: (value: Value) => boolean): Value | undefined {
    const fit = this.#values.filter(holds)
    if (fit.length === 0) return undefined
    const newest = fit.slice(-3)
    return this.chance.pick(this.chance.maybe(0.6) ? newest : fit)
  }

  /** A tensor of floats, one for each example where `perExample` is set. */
  float(holds: (value: Value) => boolean = () => true): Value | undefined {
    return this.find(value => value.dtype === 'f32' && holds(value))
  }

  get unused(): readonly Value[] {
    return this.#values.filter(({ text }) => this.#unused.has(text))
  }

  /** The newest tensor of floats with an axis for the batch, to which all that nobody has read adds a little. */
  result(holds: (value: Value) => boolean = () => true): Value {
    const value = this.#values.findLast(
      each =>
        each.dtype === 'f32' && (each.dims.length === 0 ? false : isBatch(each.dims[0]!)) && holds(each),
    )
    if (value === undefined) throw new Error('a body has no value for each example')
    const others = this.unused.filter(each => each !== value)
    this.use(value)
    if (others.length === 0) return value
    const sums = others.map(each => ` + 0.1 * ${summary(this.use(each), each, value.dims.length)}`)
    return this.bind(`${value.text}${sums.join('')}`, value.dims)
  }
}

/** A number for all, or one for each example, of a value: with as many axes as what it is added to. */
function summary(text: string, { dtype, dims }: Value, rank: number): string {
  const floats = dtype === 'f32' ? text : `f32(${text})`
  if (dims.length === 0) return floats
  if (!isBatch(dims[0]!)) return `mean(${floats})`
  const rest = dims.slice(1).map((_, i) => i + 1)
  const each = rest.length === 0 ? floats : `mean(${floats}, axis: [${rest.join(', ')}])`
  return rank === 1
    ? each
    : `${/^f32\(/.test(each) || rest.length > 0 ? `(${each})` : each}[..${', _'.repeat(rank - 1)}]`
}
