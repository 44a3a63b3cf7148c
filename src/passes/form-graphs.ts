import { NameSupply } from '../base/fresh.ts'
import { within } from '../ir/blocks.ts'
import type { Func, HostStatement, Origin, Program, TrainingStep } from '../ir/ir.ts'
import { obstacle } from './graphs/compilable.ts'
import { type Context, isHostStep, stepsIn, valuesDefined } from './graphs/context.ts'
import { formList } from './graphs/former.ts'
import type { Pass } from './pass.ts'
import { valuesOf } from './rewrite.ts'
import { namesDefined } from './values.ts'

/**
 * Gathers what each step computes between two changes of its state into one function, a graph, which a compiled engine runs
 * in one call: the forward pass, the losses and their gradients, the means that are logged, the new states of metrics.
 *
 *     %w: f32[1] = read w                               %w: f32[1] = read w
 *     minimize loss = %l with sgd exports %y {          %m, %n, %g, %size = call train.graph(%x, %w)
 *       %y: f32[n] = mul %x, %w                  →    move loss with sgd from (%m over %n) by (w = %g)
 *       %l: f32[n] = abs %y                             log size = %size
 *     }
 *     log size = %y
 *
 * A `minimize` becomes a graph with `gradient` steps and the `move` by what they give. What stands behind a change but does
 * not look at what has changed is computed before it. Left alone: reads, what no graph can hold, hooks, and whatever the
 * host does with numbers. `obstacles` names what is left alone, and why.
 */
export const formGraphs: Pass = {
  name: 'form-graphs',
  promise: 'Between two changes of its state, a step computes what graphs can hold in one call.',
  run: program => {
    const graphs: Func[] = []
    const functions = new Map(program.functions.map(func => [func.name, func]))
    const names = new NameSupply()
    for (const { name } of program.functions) names.fresh(name)
    const steps = program.steps.map(step => {
      const context = contextOf(program, step, functions, names, graphs)
      return { ...step, body: formList(step.body, { ...context, inherited: new Map(), raw: new Map() }) }
    })
    return { ...program, steps, functions: [...program.functions, ...graphs] }
  },
}

/** What stays outside of graphs, and why. */
export interface Obstacle {
  readonly phase: TrainingStep['phase']
  readonly reason: string
  readonly origin: Origin
}

/** What of a program's steps no graph holds. */
export function obstacles(program: Program): readonly Obstacle[] {
  const functions = new Map(program.functions.map(func => [func.name, func]))
  const closures = new Set(program.optimizers.flatMap(({ name, closure }) => (closure ? [name] : [])))
  return program.steps.flatMap(({ phase, body }) => {
    const again = body.flatMap(minimizesIn).filter(({ optimizer }) => closures.has(optimizer))
    const types = new Map(body.flatMap(valuesDefined).map(value => [value.name, value.type]))
    const repeated = again.map(({ optimizer, origin }) => ({
      phase,
      reason: `\`${optimizer}\` looks at its loss more than once in an update`,
      origin,
    }))
    const steps = body.flatMap(stepsIn).flatMap(step => {
      if (isHostStep(step, { functions })) return []
      const reason = obstacle(step, name => types.get(name), functions)
      return reason === undefined ? [] : [{ phase, reason, origin: step.origin }]
    })
    return [...repeated, ...steps]
  })
}

function minimizesIn(statement: HostStatement): readonly Minimize[] {
  if (statement.kind === 'minimize' || statement.kind === 'differentiate') return [statement]
  return within(statement).flatMap(minimizesIn)
}

type Minimize = Extract<HostStatement, { readonly kind: 'minimize' | 'differentiate' }>

function contextOf(
  program: Program,
  step: TrainingStep,
  functions: ReadonlyMap<string, Func>,
  names: NameSupply,
  graphs: Func[],
): Context {
  const given = valuesOf(step)
  const supply = new NameSupply()
  for (const name of [...given.map(value => value.name), ...step.body.flatMap(namesDefined)])
    supply.fresh(name)
  const types = new Map(
    [...given, ...step.body.flatMap(valuesDefined)].map(value => [value.name, value.type]),
  )
  return { program, step, functions, names, supply, types, graphs }
}
