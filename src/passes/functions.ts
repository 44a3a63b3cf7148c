import { produce } from 'immer'
import { within } from '../ir/blocks.ts'
import type { Dataset, Func, HostStatement, Program, Step } from '../ir/ir.ts'
import { closuresOf } from '../ir/optimizers.ts'
import type { Pass } from './pass.ts'

/**
 * Drops functions that nothing calls, directly or through others, and nothing names: datasets, parameters, optimizers,
 * metrics. The others stay as they are, in their order.
 */
export const removeDeadFunctions: Pass = {
  name: 'remove-dead-functions',
  promise: 'Every function is called or named by something.',
  run: program => {
    const live = reached(program)
    return produce(program, draft => {
      draft.functions = draft.functions.filter(func => live.has(func.name))
    })
  },
}

function reached(program: Program): ReadonlySet<string> {
  const functions = new Map(program.functions.map(func => [func.name, func]))
  const live = new Set<string>()
  const visit = (name: string): void => {
    if (live.has(name)) return
    live.add(name)
    for (const called of calledBy(functions.get(name)?.steps ?? [])) visit(called)
  }
  for (const name of namedBy(program)) visit(name)
  return live
}

function namedBy(program: Program): readonly string[] {
  const places = [...program.steps, ...program.hooks, ...closuresOf(program.optimizers)]
  return [...namedDirectly(program), ...places.flatMap(place => place.body.flatMap(calledIn))]
}

/** The functions that something else than a step names, and so calls in its own way. */
export function namedDirectly({
  datasets,
  parameters,
  buffers,
  optimizers,
  metrics,
  steps,
  hooks,
}: Program): ReadonlySet<string> {
  return new Set(
    [
      ...datasets.flatMap(functionsOf),
      ...buffers.map(({ init }) => init),
      ...parameters.flatMap(({ init, constraint, projection }) => [
        init,
        constraint?.forward,
        constraint?.check,
        constraint?.start,
        projection?.func,
      ]),
      ...optimizers.flatMap(optimizer => optimizer.groups.map(group => group.update)),
      ...metrics.map(metric => metric.compute),
      ...[...steps, ...hooks].flatMap(place => place.body.flatMap(updatesIn)),
    ].filter(name => name !== undefined),
  )
}

/** The functions that a dataset names. */
function functionsOf({ func, fits, filters, augment }: Dataset): readonly (string | undefined)[] {
  return [func, ...fits.map(fit => fit.func), ...filters.map(filter => filter.func), augment]
}

/** The functions by which metrics are updated. */
function updatesIn(statement: HostStatement): readonly string[] {
  return statement.kind === 'log_metric' ? [statement.func] : within(statement).flatMap(updatesIn)
}

function calledIn(statement: HostStatement): readonly string[] {
  switch (statement.kind) {
    case 'compute':
      return calledBy([statement.step])
    case 'minimize':
    case 'differentiate':
      return calledBy(statement.body)
    default:
      return within(statement).flatMap(calledIn)
  }
}

/** The functions that steps call, those that are the bodies of loops included. */
export function calledBy(steps: readonly Step[]): readonly Func['name'][] {
  return steps.flatMap(({ op, attrs }) => (op === 'call' || op === 'scan' ? [String(attrs.func)] : []))
}
