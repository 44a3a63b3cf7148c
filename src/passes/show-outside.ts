import { NameSupply } from '../base/fresh.ts'
import { mapBlocks } from '../ir/blocks.ts'
import type { Func, HostStatement, Program, Step, Value } from '../ir/ir.ts'
import { mapArguments, passedBy } from './inline.ts'
import type { Pass } from './pass.ts'
import { valuesOf } from './rewrite.ts'
import { isEffect, namesDefined } from './values.ts'

/**
 * Has the host show what a graph shows: a graph gives the values, and the `debug` steps follow its call.
 *
 *     func train.graph(%x: f32[n]) -> (%y) graph {        %y, %h.1 = call train.graph(%x)
 *       %h: f32[n] = exp %x                               () = debug %h.1 label="h"
 *       () = debug %h label="h"                      →
 *       %y: f32[n] = neg %h
 *     }
 *     %y = call train.graph(%x)
 *
 * What the host passes to a graph it shows itself.
 */
export const showOutside: Pass = {
  name: 'show-outside',
  promise: 'No graph has a `debug` in it.',
  run: program => {
    const showing = new Map(
      program.functions.flatMap(func =>
        func.role === 'graph' && func.steps.some(isEffect) ? [[func.name, shownBy(func)] as const] : [],
      ),
    )
    if (showing.size === 0) return program
    return {
      ...program,
      functions: program.functions.map(func => showing.get(func.name)?.func ?? func),
      steps: program.steps.map(step => ({ ...step, body: showBehindCalls(step, showing) })),
    }
  },
}

/** A graph that gives what it showed, and the steps that show it in terms of its own values. */
interface Showing {
  readonly func: Func
  readonly whole: Func
  /** What it gives besides its results before. */
  readonly more: readonly Value[]
  readonly shows: readonly Step[]
}

function shownBy(whole: Func): Showing {
  const shows = whole.steps.filter(isEffect)
  const known = new Set([...whole.params.map(({ name }) => name), ...whole.results])
  const wanted = new Set(shows.flatMap(step => step.inputs).filter(name => !known.has(name)))
  const more = whole.steps.flatMap(step => step.outputs.filter(({ name }) => wanted.has(name)))
  const steps = whole.steps.filter(step => !isEffect(step))
  const results = [...whole.results, ...more.map(({ name }) => name)]
  return { func: { ...whole, steps, results }, whole, more, shows }
}

function showBehindCalls(
  step: Program['steps'][number],
  showing: ReadonlyMap<string, Showing>,
): readonly HostStatement[] {
  const names = new NameSupply()
  for (const name of [...valuesOf(step).map(value => value.name), ...step.body.flatMap(namesDefined)])
    names.fresh(name)
  const behind = (statements: readonly HostStatement[]): readonly HostStatement[] =>
    statements.flatMap((statement): readonly HostStatement[] => {
      if (statement.kind !== 'compute') return [mapBlocks(statement, behind)]
      const found = showing.get(String(statement.step.attrs.func))
      if (found === undefined) return [statement]
      return showBehind(statement.step, found, names).map(each => ({ kind: 'compute', step: each }))
    })
  return behind(step.body)
}

function showBehind(call: Step, { whole, more, shows }: Showing, names: NameSupply): readonly Step[] {
  const outputs = more.map(value => ({ ...value, name: names.fresh(value.name) }))
  const here = new Map([
    ...whole.params.map((param, i) => [param.name, call.inputs[i] ?? param.name] as const),
    ...whole.results.map((name, i) => [name, call.outputs[i]?.name ?? name] as const),
    ...more.map(({ name }, i) => [name, outputs[i]?.name ?? name] as const),
  ])
  const passed = passedBy(whole, call)
  return [
    { ...call, outputs: [...call.outputs, ...outputs] },
    ...shows.map(step =>
      mapArguments({ ...step, inputs: step.inputs.map(name => here.get(name) ?? name) }, passed),
    ),
  ]
}
