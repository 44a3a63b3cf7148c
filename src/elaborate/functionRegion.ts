import { bug } from '../base/bug.ts'
import { NameSupply } from '../base/fresh.ts'
import type { Span } from '../base/source.ts'
import type { Func, FuncParam, Step } from '../ir/ir.ts'
import {
  type BufferWrite,
  type Context,
  type MemberRead,
  originOf,
  type Region,
  type Standard,
} from './context.ts'
import type { StateSpec, TensorValue, Value } from './values.ts'

/** The tensors of an argument, in the order in which `ownValue` makes parameters of them. */
export function tensorsOf(value: Value): readonly TensorValue[] {
  if (value.kind === 'tensor') return [value]
  if (value.kind === 'record') return [...value.fields.values()].flatMap(tensorsOf)
  if (value.kind === 'list') return value.items.flatMap(tensorsOf)
  return []
}

export interface Results {
  readonly values: readonly TensorValue[]
  readonly fields: readonly string[] | undefined
}

/** A tensor, or all tensors of a record or list, however deep: `{ all, last: { h, c } }` gives `all`, `last_h` and `last_c`. */
export function resultsOf(value: Value): Results | undefined {
  if (value.kind === 'tensor') return { values: [value], fields: undefined }
  const leaves = value.kind === 'record' || value.kind === 'list' ? leavesOf(value, '') : undefined
  if (!leaves) return undefined
  const names = new NameSupply()
  return {
    values: leaves.map(leaf => leaf.tensor),
    fields: leaves.map(leaf => names.fresh(leaf.name).replaceAll('.', '_')),
  }
}

interface Leaf {
  readonly name: string
  readonly tensor: TensorValue
}

/** Undefined where something is no tensor. */
function leavesOf(value: Value, name: string): readonly Leaf[] | undefined {
  if (value.kind === 'tensor') return [{ name, tensor: value }]
  const parts: readonly (readonly [string, Value])[] | undefined =
    value.kind === 'record'
      ? [...value.fields]
      : value.kind === 'list'
        ? value.items.map((item, i) => [name === '' ? `item${i}` : String(i), item])
        : undefined
  const leaves = parts?.map(([part, inner]) => leavesOf(inner, name === '' ? part : `${name}_${part}`))
  return leaves?.every(leaf => leaf !== undefined) ? leaves.flat() : undefined
}

/** The value with other tensors in its places, in order. */
export function replaceTensors(value: Value, tensors: readonly TensorValue[]): Value {
  const left = [...tensors]
  const replaced = (each: Value): Value => {
    if (each.kind === 'tensor') return left.shift() ?? bug('a value with more tensors than it is given')
    if (each.kind === 'list') return { kind: 'list', items: each.items.map(replaced) }
    if (each.kind !== 'record') return each
    return { ...each, fields: new Map([...each.fields].map(([name, field]) => [name, replaced(field)])) }
  }
  return replaced(value)
}

/** What a function returns, and behind it the buffers that it writes; then all results have names. */
export function withWrites({ values, fields }: Results, writes: readonly BufferWrite[]): Results {
  if (writes.length === 0) return { values, fields }
  const names = new NameSupply()
  const all = [...(fields ?? ['output']), ...writes.map(({ path }) => fieldOfPath(path))]
  return {
    values: [...values, ...writes.map(({ value }) => value)],
    fields: all.map(name => names.fresh(name).replaceAll('.', '_')),
  }
}

/** `blocks[0].norm.mean` as the name of a field: `blocks_0_norm_mean`. */
const fieldOfPath = (path: string): string =>
  path
    .split(/[.[\]]+/)
    .filter(piece => piece !== '')
    .join('_')

/** Whether a step gives a value that no name in the source stands for yet: its only one, or what a loop yields. */
export function isNameless({ op, outputs }: Step, value: string): boolean {
  return (outputs.length === 1 || op === 'scan') && outputs.some(output => output.name === value)
}

export function renamedOutput(step: Step, value: string, name: string): Step {
  const outputs = step.outputs.map(output => (output.name === value ? { ...output, name } : output))
  return { ...step, outputs }
}

/** The steps and names of one function under construction. */
export class FunctionRegion implements Region {
  readonly kind = 'function'
  readonly steps: Step[] = []
  readonly members: MemberRead[] = []
  readonly lets: NonNullable<Region['lets']> = new Map()
  readonly #names = new NameSupply()
  readonly #places = new NameSupply()
  readonly #named = new Set<string>()
  readonly #makers = new Map<string, Step>()
  #sole: string | undefined
  readonly #memberValues = new Map<string, TensorValue>()
  readonly #writes = new Map<string, BufferWrite>()
  #key: string | undefined

  push(step: Step, sole?: string): void {
    this.#sole = sole
    this.steps.push(step)
    for (const { name } of step.outputs) this.#makers.set(name, step)
  }

  fresh(name: string): string {
    return this.#names.fresh(name)
  }

  rename(value: string, name: string): string {
    const last = this.steps.at(-1)
    if (!last || !(isNameless(last, value) || value === this.#sole) || this.#named.has(value)) return value
    const own = this.fresh(name)
    this.#named.add(own)
    const renamed = renamedOutput(last, value, own)
    this.steps[this.steps.length - 1] = renamed
    this.#makers.delete(value)
    for (const { name } of renamed.outputs) this.#makers.set(name, renamed)
    return own
  }

  member(
    _ctx: Context,
    path: string,
    spec: StateSpec,
    span: Span,
    part: MemberRead['part'] = 'value',
  ): TensorValue {
    const written = this.#writes.get(path)
    if (written) return written.value
    const key = memberName(path, part)
    const known = this.#memberValues.get(key)
    if (known) return known
    const last = lastOf(key)
    const value: TensorValue = {
      kind: 'tensor',
      name: this.fresh(last),
      type: part === 'raw' ? spec.raw : spec.type,
      span,
      parameter: { path, spec },
    }
    this.#memberValues.set(key, value)
    this.members.push({ path, spec, part })
    return value
  }

  write(write: BufferWrite): void {
    this.#writes.set(write.path, write)
  }

  /** Buffers with their newest values, in the order in which they were first written. */
  get writes(): readonly BufferWrite[] {
    return [...this.#writes.values()]
  }

  key(): string {
    this.#key ??= this.fresh('key')
    return this.#key
  }

  place(name: string): string {
    return this.#places.fresh(name)
  }

  maker(value: string): Step | undefined {
    return this.#makers.get(value)
  }

  /** Only the region of a dataset has columns. */
  column(_offset: number): TensorValue | undefined {
    return undefined
  }

  standard(_offset: number): Standard | undefined {
    return undefined
  }

  get drawsRandom(): boolean {
    return this.#key !== undefined
  }

  /** What it reads of its module, in the order in which it was first read. */
  get memberParams(): readonly FuncParam[] {
    return this.members.map(({ path, part }) => {
      const { name, type } =
        this.#memberValues.get(memberName(path, part)) ?? bug(`${path} was read and has no value`)
      return { name, type, member: memberName(path, part) }
    })
  }

  /** The finished function: its own parameters, then what it reads of its module, then the key of its draws. */
  finish(
    made: FinishedFunction,
    params: readonly FuncParam[],
    hostParams: readonly string[],
    results: Results,
  ): Func {
    const given = new Set(params.map(({ name }) => name))
    const members = this.memberParams.filter(({ name }) => !given.has(name))
    const key: FuncParam[] = this.#key === undefined ? [] : [{ name: this.#key, type: 'key' }]
    return {
      ...made,
      params: [...params, ...members, ...key],
      hostParams,
      steps: this.steps,
      results: results.values.map(value => value.name),
      ...(results.fields ? { fields: results.fields } : {}),
    }
  }
}

type FinishedFunction = Pick<Func, 'name' | 'declaration' | 'role' | 'doc' | 'origin'>

/** A function made from a region that was filled by hand: a start value, the fields of a dataset. */
export function functionFrom(
  ctx: Context,
  region: FunctionRegion,
  made: {
    readonly name: string
    readonly declaration: string
    readonly role: Func['role']
    readonly span: Span
    readonly result: Value
    readonly params?: readonly FuncParam[]
  },
): Func {
  const func = region.finish(
    {
      name: ctx.world.functions.fresh(made.name),
      declaration: made.declaration,
      role: made.role,
      origin: originOf(made.span),
    },
    made.params ?? [],
    [],
    resultsOf(made.result) ?? bug(`${made.name} gives no tensors`),
  )
  ctx.world.functions.list.push(func)
  return func
}

/** The name of a member without the way to it. */
export function lastOf(path: string): string {
  return path.split(/[.[\]]/).findLast(piece => piece !== '') ?? path
}

/** `weight`, `weight_raw`, `weight_log`: one member for each part that is read. */
function memberName(path: string, part: MemberRead['part']): string {
  return part === 'value' ? path : `${path}_${part}`
}
