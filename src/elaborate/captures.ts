import type { FuncParam, HostExpr } from '../ir/ir.ts'
import { isRest, type TensorType } from '../types/tensor.ts'
import { Env } from './env.ts'
import type { FunctionRegion } from './functionRegion.ts'
import { isHostArgument } from './functionRequest.ts'
import type { TensorValue, Value } from './values.ts'

interface Captured {
  readonly outer: TensorValue
  readonly own: TensorValue
}

/**
 * What the body of a loop, which becomes a function of its own, reads of the scopes around it: its tensors become
 * parameters when they are first looked up, numbers that only the host knows are passed.
 */
export class Captures {
  readonly #region: FunctionRegion
  readonly #tensors = new Map<string, Captured>()
  readonly #hosts = new Map<string, HostExpr>()

  constructor(region: FunctionRegion) {
    this.#region = region
  }

  /** A scope inside the loop: whatever it finds outside is taken in. */
  scope(outer: Env): Env {
    return new Env(outer, (value, name) => this.#own(value, name))
  }

  #own(value: Value, name: string): Value {
    switch (value.kind) {
      case 'tensor':
        return this.tensor(value)
      case 'sequence':
        return { ...value, tensor: this.tensor(value.tensor) }
      case 'record':
        return {
          ...value,
          fields: new Map(
            [...value.fields].map(([field, inner]) => [field, this.#own(inner, `${name}_${field}`)]),
          ),
        }
      case 'list':
        return { kind: 'list', items: value.items.map((item, i) => this.#own(item, `${name}_${i}`)) }
      case 'lambda':
        return { ...value, env: this.scope(value.env) }
      case 'float':
        if (!isHostArgument(value)) return value
        this.#hosts.set(name, value.expr)
        return { ...value, expr: { kind: 'argument', name } }
      default:
        return value
    }
  }

  /** A tensor from outside as the body's own value. */
  tensor(outer: TensorValue): TensorValue {
    const known = this.#tensors.get(outer.name)
    if (known) return known.own
    const own = { ...outer, name: this.#region.fresh(outer.name.replace(/(\.\d+)+$/, '')) }
    this.#tensors.set(outer.name, { outer, own })
    return own
  }

  /** What was read by steps or is `wanted` besides: a record that is looked up brings all its fields. */
  taken(wanted: readonly TensorValue[]): {
    readonly params: readonly FuncParam[]
    readonly inputs: readonly string[]
  } {
    const read = new Set([
      ...this.#region.steps.flatMap(step => step.inputs),
      ...wanted.map(tensor => tensor.name),
    ])
    const live = [...this.#tensors.values()].filter(({ own }) => read.has(own.name))
    return {
      params: live.map(({ own }) => ({ name: own.name, type: own.type })),
      inputs: live.map(({ outer }) => outer.name),
    }
  }

  get hosts(): { readonly names: readonly string[]; readonly exprs: readonly HostExpr[] } {
    return { names: [...this.#hosts.keys()], exprs: [...this.#hosts.values()] }
  }
}

/** The first tensor in reach whose shape tells a size. */
export function tensorOfSize(env: Env, size: string): TensorValue | undefined {
  for (const name of env.names()) {
    const value = env.lookup(name)?.value
    const found = value && tensorsIn(value).find(tensor => mentions(tensor.type, size))
    if (found) return found
  }
  return undefined
}

function tensorsIn(value: Value): readonly TensorValue[] {
  if (value.kind === 'tensor') return [value]
  if (value.kind === 'sequence') return [value.tensor]
  return value.kind === 'record' ? [...value.fields.values()].flatMap(tensorsIn) : []
}

const mentions = ({ shape }: TensorType, size: string): boolean =>
  shape.some(dim => dim === size || (isRest(dim) && dim === size))
