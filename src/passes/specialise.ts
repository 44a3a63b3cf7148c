import { bug } from '../base/bug.ts'
import { NameSupply } from '../base/fresh.ts'
import type { Draw, GraphInput, GraphPlace } from '../base/graphs.ts'
import type { Attrs, Func, FuncParam, Program, Step, ValueType } from '../ir/ir.ts'
import type { Shape } from '../types/tensor.ts'
import { bindSizes, stepAt, typeAt } from './calls.ts'
import { removeDeadSteps } from './dead.ts'
import { shareEqualSteps } from './share.ts'
import { simplify } from './simplify.ts'
import { unroll } from './unroll.ts'
import { isHostExpr, outputNames } from './values.ts'

/** A graph for tensors of given sizes: all sizes are numbers, all steps are operators of the table, nothing is drawn. */
export interface SpecialGraph {
  readonly func: Func
  /** Where each parameter of `func` comes from. */
  readonly inputs: readonly GraphInput[]
}

/**
 * A graph of a program for arguments of these shapes; keys have none. Loops are written out, and what is drawn becomes
 * an input, for the host draws with the same generator as everywhere.
 */
export function specialise(
  program: Program,
  graph: Func,
  shapes: readonly (readonly number[] | undefined)[],
): SpecialGraph {
  const sizes = bindSizes(
    graph,
    graph.params.map(({ type }, i) => withShape(type, shapes[i])),
  )
  if ('clash' in sizes) return bug(sizes.clash)
  const params = graph.params.map(param => ({ ...param, type: typeAt(param.type, sizes) }))
  const names = new NameSupply()
  for (const name of [...params.map(param => param.name), ...graph.steps.flatMap(outputNames)])
    names.fresh(name)
  const steps: Step[] = []
  unroll(
    graph.steps.map(step => stepAt(step, sizes)),
    {
      functions: new Map(program.functions.map(func => [func.name, func])),
      types: new Map(params.map(({ name, type }) => [name, type])),
      steps,
      fresh: name => names.fresh(name),
    },
  )
  return withInputs(cleaned(program, { ...graph, params, steps }))
}

function withShape(type: ValueType, shape: Shape | undefined): ValueType {
  return type === 'key' || shape === undefined ? type : { ...type, shape }
}

/** Written-out loops repeat themselves, and what a gradient computes anew is what the loop has computed. */
function cleaned(program: Program, func: Func): Func {
  const alone: Program = { ...program, functions: [func], steps: [], hooks: [] }
  const passes = [simplify, shareEqualSteps, simplify, removeDeadSteps]
  const { functions } = passes.reduce<Program>((before, pass) => pass.run(before), alone)
  return functions[0] ?? bug('a graph is gone')
}

/** The function with its inputs told apart; what it does not read is no input. */
function withInputs(func: Func): SpecialGraph {
  const gathered = new Inputs(func)
  const steps = func.steps.filter(step => !gathered.takes(step))
  const read = new Set([...steps.flatMap(step => step.inputs), ...func.results])
  const live = gathered.list.filter(({ param }) => read.has(param.name))
  return {
    func: { ...func, params: live.map(({ param }) => param), hostParams: [], steps },
    inputs: live.map(({ input }) => input),
  }
}

interface KeyAt {
  readonly key: number
  readonly places: readonly GraphPlace[]
}

class Inputs {
  readonly list: { readonly param: FuncParam; readonly input: GraphInput }[] = []
  readonly #keys = new Map<string, KeyAt>()
  readonly #numbers: readonly string[]

  constructor({ params, hostParams }: Func) {
    this.#numbers = hostParams
    for (const [index, param] of params.entries()) {
      if (param.type === 'key') this.#keys.set(param.name, { key: index, places: [] })
      else this.list.push({ param, input: { kind: 'tensor', index } })
    }
  }

  /** Whether what a step gives comes from outside of the graph. */
  takes({ op, inputs: [input = ''], attrs, outputs: [output] }: Step): boolean {
    if (output === undefined) return false
    const key = this.#keys.get(input)
    if (op === 'key_at' && key !== undefined) {
      this.#keys.set(output.name, { ...key, places: [...key.places, this.#place(attrs.place)] })
      return true
    }
    if (output.type === 'key') return bug(`%${output.name} is the key of nothing`)
    const { name, type } = output
    if (op === 'host') this.list.push({ param: { name, type }, input: this.#number(attrs) })
    else if (key !== undefined)
      this.list.push({
        param: { name, type },
        input: { kind: 'draw', ...key, draw: drawOf(op, attrs) },
      })
    return op === 'host' || key !== undefined
  }

  #number({ value }: Attrs): GraphInput {
    if (value === undefined || !isHostExpr(value) || value.kind !== 'argument')
      return bug('a graph computes with a number that nobody hands to it')
    return { kind: 'number', index: this.#numbers.indexOf(value.name) }
  }

  #place(place: Attrs[string] | undefined): GraphPlace {
    if (typeof place === 'string' || typeof place === 'number') return place
    if (place !== undefined && isHostExpr(place)) {
      if (place.kind === 'argument') return { number: this.#numbers.indexOf(place.name) }
      if (place.kind === 'number') return place.value
    }
    return bug('a key without its place')
  }
}

function drawOf(op: string, attrs: Attrs): Draw {
  switch (op) {
    case 'random_normal':
      return { kind: 'normal', mean: Number(attrs.mean), std: Number(attrs.std) }
    case 'random_uniform':
      return { kind: 'uniform', low: Number(attrs.low), high: Number(attrs.high) }
    case 'random_bernoulli':
      return { kind: 'bernoulli', p: Number(attrs.p) }
    case 'random_permutation':
      return { kind: 'permutation' }
    default:
      return bug(`${op} takes a key`)
  }
}
