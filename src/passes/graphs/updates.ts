import { bug } from '../../base/bug.ts'
import { NameSupply } from '../../base/fresh.ts'
import type { ClipRule, UpdateRequest } from '../../base/graphs.ts'
import { hostNumberOf, hostNumbers } from '../../ir/hostNumbers.ts'
import type { Func, HostExpr, Optimizer, Program, Step, Value } from '../../ir/ir.ts'
import { type BuildContext, type Make, makeBuilder } from '../../ops/builder.ts'
import type { Operand } from '../../ops/op.ts'
import type { TensorType } from '../../types/tensor.ts'
import { inliner } from '../inline.ts'
import { wholeFunction } from '../inline-graphs.ts'
import { rewriteFunction } from '../rewrite.ts'
import { exprsOf, isEffect } from '../values.ts'
import { service } from './services.ts'

/**
 * One graph that clips gradients and moves parameters and slots by them, made of the optimizer's own functions.
 *
 *     func adam.update(%m: f32[3], %param: f32[3], %grad: f32[3]; n0.0, n0.1) -> (%m.1, %param.1)
 *
 * It takes the slots, the parameter and the gradient of each part, then the numbers of each list; it gives the slots and the parameter
 * of each part. Undefined where an update computes with the host inside of loops, or with sizes, or shows something.
 */
export function updateGraph(program: Program, request: UpdateRequest): Func | undefined {
  const optimizer = program.optimizers.find(({ name }) => name === request.optimizer)
  if (optimizer === undefined) return bug(`there is no optimizer ${request.optimizer}`)
  const slots = optimizer.slots.map(({ name }) => name)
  const names = new NameSupply()
  const parts = request.parts.map(({ path, shape, numbers }): Part | undefined => {
    const group = optimizer.groups.find(({ parameters }) => parameters.includes(path))
    const update = program.functions.find(({ name }) => name === group?.update)
    if (update === undefined) return bug(`${optimizer.name} does not move ${path}`)
    const taken = numbered(update, numbers)
    if (taken === undefined) return undefined
    const type: TensorType = { dtype: 'f32', shape: [...shape] }
    const value = (name: string): Value => ({ name: names.fresh(name), type })
    const { projection } = program.parameters.find(each => each.path === path) ?? {}
    return { taken, slots: slots.map(value), parameter: value('param'), gradient: value('grad'), projection }
  })
  const known = parts.flatMap(part => part ?? [])
  if (known.length < parts.length) return undefined
  const graph = composed(program, optimizer, request.clip, known, names)
  return graph.steps.some(isEffect) ? undefined : graph
}

/** A parameter with all that moves it. */
interface Part {
  readonly taken: Taken
  readonly slots: readonly Value[]
  readonly parameter: Value
  readonly gradient: Value
  readonly projection: { readonly func: string } | undefined
}

/** An update whose numbers come one by one, under the names that they have in the graph. */
interface Taken {
  readonly func: Func
  readonly numbers: readonly string[]
}

function numbered(update: Func, list: number): Taken | undefined {
  const exprs = hostNumbers(update)
  const computes = update.steps.some(step => step.op !== 'host' && exprsOf(step).length > 0)
  if (exprs === undefined || computes) return undefined
  const names = new Map(exprs.map((expr, i) => [JSON.stringify(expr), `n${list}.${i}`]))
  const steps = update.steps.map(step => {
    if (step.op !== 'host') return step
    const name = names.get(JSON.stringify(hostNumberOf(step))) ?? bug('a number of nobody')
    return { ...step, attrs: { ...step.attrs, value: argument(name) } }
  })
  const numbers = [...names.values()]
  return { func: { ...update, name: `${update.name}.${list}`, hostParams: numbers, steps }, numbers }
}

const argument = (name: string): HostExpr => ({ kind: 'argument', name })

function composed(
  program: Program,
  optimizer: Optimizer,
  clip: ClipRule | undefined,
  parts: readonly Part[],
  names: NameSupply,
): Func {
  const steps: Step[] = []
  const fresh = (name: string): string => names.fresh(name)
  const make = makeBuilder({ steps, fresh, origin: () => optimizer.origin })
  const gradients = clipped(
    make,
    parts.map(({ gradient }) => operandOf(gradient)),
    clip,
  )
  const results = parts.flatMap((part, i) =>
    moved(part, gradients[i]!, { steps, fresh, origin: () => optimizer.origin }),
  )
  const numbers = new Set(parts.flatMap(({ taken }) => taken.numbers))
  const graph = service(`${optimizer.name}.update`, optimizer.origin, {
    params: parts.flatMap(({ slots, parameter, gradient }) => [...slots, parameter, gradient]),
    hostParams: [...numbers],
    steps,
    results,
  })
  const projections = new Set(parts.flatMap(({ projection }) => projection?.func ?? []))
  const called = new Map([
    ...parts.map(({ taken }) => [taken.func.name, taken.func] as const),
    ...[...projections].map(name => [name, wholeFunction(program, name)] as const),
  ])
  return rewriteFunction(graph, inliner(called))
}

const operandOf = ({ name, type }: Value): Operand =>
  type === 'key' ? bug(`%${name} is a key`) : { name, type }

/** Calls the update of a part, and what brings its parameter back to where it may be. */
function moved(
  { taken, slots, parameter, projection }: Part,
  gradient: Operand,
  { steps, fresh, origin }: BuildContext,
): readonly string[] {
  const call = (
    func: string,
    inputs: readonly string[],
    host: readonly HostExpr[],
    outputs: readonly Value[],
  ) => {
    const named = outputs.map(({ name, type }) => ({ name: fresh(name), type }))
    steps.push({ op: 'call', inputs, attrs: { func, host }, outputs: named, origin: origin() })
    return named.map(({ name }) => name)
  }
  const given = [...slots, parameter].map(({ name }) => name)
  const results = call(taken.func.name, [...given, gradient.name], taken.numbers.map(argument), [
    ...slots,
    parameter,
  ])
  if (projection === undefined) return results
  const after = results.at(-1) ?? bug('an update without a result')
  return [...results.slice(0, -1), ...call(projection.func, [after], [], [parameter])]
}

/**
 * Each element into [-limit, limit], or all gradients scaled alike, so that their common 2-norm is at most the limit (Pascanu et al.
 * 2013, algorithm 1).
 */
function clipped(make: Make, gradients: readonly Operand[], clip: ClipRule | undefined): readonly Operand[] {
  if (clip === undefined || gradients.length === 0) return gradients
  const limit = make.constant(clip.limit)
  if (clip.kind === 'value') {
    const least = make.constant(-clip.limit)
    return gradients.map(gradient => make.maximum([make.minimum([gradient, limit]), least]))
  }
  const scale = make.div([limit, make.maximum([make.sqrt([squares(make, gradients)]), limit])])
  return gradients.map(gradient => make.mul([gradient, scale]))
}

/** The graph with the sum of the squares of some of its results for each list of them, as further results. */
export function withSquares(func: Func, lists: readonly (readonly string[])[]): Func {
  const values = [...func.params, ...func.steps.flatMap(({ outputs }) => outputs)]
  const known = new Map(values.map(value => [value.name, value]))
  const names = new NameSupply()
  for (const name of known.keys()) names.fresh(name)
  const steps: Step[] = []
  const fresh = (name: string): string => names.fresh(name)
  const make = makeBuilder({ steps, fresh, origin: () => func.origin })
  const sums = lists.map(list =>
    squares(
      make,
      list.map(name => operandOf(known.get(name) ?? bug(`there is no %${name}`))),
    ),
  )
  return {
    ...func,
    steps: [...func.steps, ...steps],
    results: [...func.results, ...sums.map(({ name }) => name)],
  }
}

/** The sum of the squares of all elements. */
function squares(make: Make, tensors: readonly Operand[]): Operand {
  return tensors.map(x => make.sum([make.mul([x, x])])).reduce((sum, each) => make.add([sum, each]))
}
