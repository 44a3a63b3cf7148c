import type { Step, ValueType } from '../ir/ir.ts'
import { type BuildContext, makeBuilder } from '../ops/builder.ts'
import { findOp } from '../ops/index.ts'
import { multiplyAddsAt } from '../ops/multiplyAdds.ts'
import type { Operand } from '../ops/op.ts'
import { liveSteps } from '../passes/dead.ts'
import { add, type Dim, multiply, product } from '../types/dim.ts'
import type { Descent, Flow, Work } from './work.ts'

/** The sum of some sizes. */
export function sum(sizes: readonly Dim[]): Dim {
  return sizes.reduce((total, size) => add(total, size), 0)
}

/** The bytes of a value as the backends hold it; a key is none. */
export function bytesOf(type: ValueType): Dim {
  if (type === 'key') return 0
  return multiply(product(type.shape), type.dtype === 'bool' ? 1 : 4)
}

/** Multiply-adds of one kind of work, as often as it happens. */
export function multiplyAddsOf(work: Work): Dim {
  const types = work.inputs.map(({ type }) => type)
  return multiply(multiplyAddsAt(work.op, types, work.outputs[0]?.type, work.attrs), work.times)
}

/** What the gradient of losses costs. */
export interface Backward {
  readonly multiplyAdds: Dim
  /** Bytes of the values that it reads again and that are no parameters or inputs: they are kept until then. */
  readonly kept: Dim
}

/**
 * The gradient of losses by parameters, by the rules of the operator table. It flows through what lies on a path from one
 * of the parameters to a loss.
 */
export function backwardOf({ works, losses }: Descent, isMoved: (path: string) => boolean): Backward {
  const reaching = reachingFrom(works, isMoved)
  const wanted = new Set(losses)
  const kept = new Map<Flow, Dim>()
  let multiplyAdds: Dim = 0
  for (const work of works.toReversed()) {
    if (!work.outputs.some(output => wanted.has(output) && reaching.has(output))) continue
    for (const input of work.inputs) if (reaching.has(input)) wanted.add(input)
    const { reads, cost } = gradientOf(work, reaching)
    multiplyAdds = add(multiplyAdds, multiply(cost, work.times))
    for (const flow of reads) if (flow.made) kept.set(flow, multiply(bytesOf(flow.type), work.times))
  }
  return { multiplyAdds, kept: sum([...kept.values()]) }
}

/** What depends on a moved parameter by something that has a gradient. */
function reachingFrom(works: readonly Work[], isMoved: (path: string) => boolean): ReadonlySet<Flow> {
  const reaching = new Set<Flow>()
  const reaches = (flow: Flow): boolean =>
    reaching.has(flow) || (flow.path !== undefined && !flow.made && isMoved(flow.path))
  for (const { op, inputs, outputs } of works) {
    for (const input of inputs) if (reaches(input)) reaching.add(input)
    const flows = op === 'link' || findOp(op)?.grad !== 'none'
    if (flows && inputs.some(reaches)) for (const output of outputs) reaching.add(output)
  }
  return reaching
}

interface Gradient {
  /** Values of the forward pass that it takes. */
  readonly reads: readonly Flow[]
  readonly cost: Dim
}

/** One operator's gradient by those of its inputs that it is wanted for, as the table spells it out. */
function gradientOf({ op, inputs, outputs, attrs }: Work, wanted: ReadonlySet<Flow>): Gradient {
  const grad = findOp(op)?.grad
  const [output] = outputs
  if (typeof grad !== 'function' || output === undefined || output.type === 'key')
    return { reads: [], cost: 0 }
  const steps: Step[] = []
  const given = inputs.map((flow, i) => ({ flow, name: `input${i}` }))
  const operands = given.flatMap(({ flow: { type }, name }) => (type === 'key' ? [] : [{ name, type }]))
  const dy = { name: 'dy', type: output.type }
  const y = { name: 'output', type: output.type }
  const results = grad(dy, { inputs: operands, outputs: [y], attrs }, makeBuilder(contextOf(steps)))
  const tensors = given.filter(({ flow }) => flow.type !== 'key')
  const live = new Set(
    results.flatMap((result, i) => {
      const flow = tensors[i]?.flow
      return result !== undefined && flow !== undefined && wanted.has(flow) ? [result.name] : []
    }),
  )
  const alive = liveSteps(steps, live)
  const types = typesOf([...operands, dy, y], steps)
  const costs = alive.map(step => {
    const [made] = step.outputs
    const taken = step.inputs.flatMap(name => types.get(name) ?? [])
    return made === undefined ? 0 : multiplyAddsAt(step.op, taken, made.type, step.attrs)
  })
  const named = [...given, { flow: output, name: y.name }]
  const read = new Set(alive.flatMap(step => step.inputs))
  return { reads: named.filter(({ name }) => read.has(name)).map(({ flow }) => flow), cost: sum(costs) }
}

function contextOf(steps: Step[]): BuildContext {
  let count = 0
  return {
    steps,
    fresh: name => `${name}.${++count}`,
    origin: () => ({ file: '', line: 0, column: 0 }),
  }
}

function typesOf(operands: readonly Operand[], steps: readonly Step[]): ReadonlyMap<string, ValueType> {
  const made = steps.flatMap(step => step.outputs)
  return new Map([...operands, ...made].map(({ name, type }) => [name, type]))
}
