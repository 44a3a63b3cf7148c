import type { OnnxAttrs, OnnxDomain, OnnxDType, OnnxGraph, OnnxValue } from '../../ops/onnx.ts'
import type { OnnxConstant, OnnxNode } from './proto.ts'

/** A node that is being built; a request for more of its outputs makes it longer. */
interface Building {
  readonly name: string
  readonly type: string
  readonly domain: string
  readonly inputs: readonly OnnxValue[]
  readonly outputs: OnnxValue[]
  readonly attrs: OnnxAttrs
}

/** What stands for an absent input. */
const absent: OnnxValue = { name: '' }

/**
 * Collects nodes and constants, each once. The names of values are provisional: {@link finish} gives them those that
 * `rename` wants.
 */
export class GraphBuilder implements OnnxGraph {
  /** What nodes are called that come next, up to their number: the step that they come from. */
  place = ''
  readonly #nodes = new Map<string, Building>()
  readonly #constants = new Map<string, OnnxConstant>()
  /** By the name of what it gives. */
  readonly #makers = new Map<string, Building>()
  #count = 0

  /** A value that comes from outside. */
  input(): OnnxValue {
    return this.#value()
  }

  node(
    type: string,
    inputs: readonly (OnnxValue | undefined)[],
    attrs: OnnxAttrs = {},
    domain?: OnnxDomain,
  ): OnnxValue {
    return this.nodes(type, inputs, 1, attrs, domain)[0]!
  }

  nodes(
    type: string,
    inputs: readonly (OnnxValue | undefined)[],
    outputs: number,
    attrs: OnnxAttrs = {},
    domain: OnnxDomain | '' = '',
  ): readonly OnnxValue[] {
    const given = inputs.map(input => input ?? absent)
    const key = JSON.stringify([type, domain, given.map(input => input.name), attrs])
    const known = this.#nodes.get(key)
    const node = known ?? { name: this.#nodeName(type), type, domain, inputs: given, outputs: [], attrs }
    if (known === undefined) this.#nodes.set(key, node)
    while (node.outputs.length < outputs) this.#giveOutput(node)
    return node.outputs.slice(0, outputs)
  }

  constant(dtype: OnnxDType, values: readonly number[], shape: readonly number[]): OnnxValue {
    // JSON has no -0, infinity or NaN.
    const key = `${dtype}[${shape.join()}] ${values.map(value => (Object.is(value, -0) ? '-0' : value)).join()}`
    const known = this.#constants.get(key)
    if (known) return known
    const constant = { ...this.#value(), dtype, shape, values }
    this.#constants.set(key, constant)
    return constant
  }

  /** A copy of a value, for an output that can't have the name of what it is; `type` gives of each of `inputs` the value itself. */
  copy(type: string, inputs: readonly OnnxValue[]): OnnxValue {
    const node: Building = { name: this.#nodeName(type), type, domain: '', inputs, outputs: [], attrs: {} }
    const output = this.#giveOutput(node)
    this.#nodes.set(output.name, node)
    return output
  }

  /** Whether a value is computed, and not given or constant. */
  isComputed(value: OnnxValue): boolean {
    return this.#makers.has(value.name)
  }

  maker(value: OnnxValue): Building | undefined {
    return this.#makers.get(value.name)
  }

  /** The nodes and constants that lead to `results`, with the names that values shall have. */
  finish(
    results: readonly OnnxValue[],
    rename: (name: string) => string,
  ): {
    readonly nodes: readonly OnnxNode[]
    readonly constants: readonly OnnxConstant[]
  } {
    const named = ({ name }: OnnxValue) => (name === '' ? '' : rename(name))
    const read = this.#leadingTo(results)
    const isRead = ({ name }: OnnxValue) => read.has(name)
    const nodes = [...this.#nodes.values()].filter(({ outputs }) => outputs.some(isRead))
    return {
      nodes: nodes.map(node => ({
        ...node,
        inputs: node.inputs.map(named),
        outputs: node.outputs.map(named),
      })),
      constants: [...this.#constants.values()]
        .filter(isRead)
        .map(constant => ({ ...constant, name: named(constant) })),
    }
  }

  /** The names of results and of all that they are computed from. */
  #leadingTo(results: readonly OnnxValue[]): ReadonlySet<string> {
    const found = new Set(results.map(({ name }) => name))
    // A set gives what is added to it while it is gone through.
    for (const name of found) for (const input of this.#makers.get(name)?.inputs ?? []) found.add(input.name)
    return found
  }

  #value(): OnnxValue {
    return { name: `#${this.#count++}` }
  }

  #giveOutput(node: Building): OnnxValue {
    const value = this.#value()
    node.outputs.push(value)
    this.#makers.set(value.name, node)
    return value
  }

  #nodeName(type: string): string {
    return `${this.#nodes.size} ${this.place} ${type}`
  }
}
