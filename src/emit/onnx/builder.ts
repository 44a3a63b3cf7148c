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
  readonly #computed = new Set<string>()
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
    while (node.outputs.length < outputs) node.outputs.push(this.#output())
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
    const output = this.#output()
    const node = { name: this.#nodeName(type), type, domain: '', attrs: {} }
    this.#nodes.set(output.name, { ...node, inputs, outputs: [output] })
    return output
  }

  /** Whether a value is computed, and not given or constant. */
  isComputed(value: OnnxValue): boolean {
    return this.#computed.has(value.name)
  }

  /** The nodes and constants with the names that values shall have. */
  finish(rename: (name: string) => string): {
    readonly nodes: readonly OnnxNode[]
    readonly constants: readonly OnnxConstant[]
  } {
    const named = ({ name }: OnnxValue) => (name === '' ? '' : rename(name))
    return {
      nodes: [...this.#nodes.values()].map(node => ({
        ...node,
        inputs: node.inputs.map(named),
        outputs: node.outputs.map(named),
      })),
      constants: [...this.#constants.values()].map(constant => ({ ...constant, name: named(constant) })),
    }
  }

  #value(): OnnxValue {
    return { name: `#${this.#count++}` }
  }

  #output(): OnnxValue {
    const value = this.#value()
    this.#computed.add(value.name)
    return value
  }

  #nodeName(type: string): string {
    return `${this.#nodes.size} ${this.place} ${type}`
  }
}
