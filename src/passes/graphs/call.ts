import { bug } from '../../base/bug.ts'
import type { Func, HostStatement, Step, Value } from '../../ir/ir.ts'
import { sizesIn } from '../calls.ts'
import { valuesOf } from '../rewrite.ts'
import { mapExprs, outputNames, readsOfStatement, readsOfStep } from '../values.ts'
import type { Context } from './context.ts'
import { Passed } from './passed.ts'

/** A graph that is being gathered, and the reads that stand before its call. */
export interface Group {
  readonly heads: Step[]
  readonly steps: Step[]
}

export type Item = { readonly group: Group } | { readonly statement: HostStatement }

/** A list of statements with a call in the place of each group. */
export function assemble(
  context: Context,
  items: readonly Item[],
  groups: readonly Group[],
): readonly HostStatement[] {
  const read = new Set([
    ...items.flatMap(item => ('statement' in item ? readsOfStatement(item.statement) : [])),
    ...groups.flatMap(({ heads }) => heads.flatMap(readsOfStep)),
  ])
  return items.flatMap((item): readonly HostStatement[] => {
    if ('statement' in item) return [item.statement]
    const { group } = item
    const others = groups.filter(each => each !== group).flatMap(({ steps }) => steps.flatMap(readsOfStep))
    const wanted = new Set([...read, ...others])
    const call = callOf(context, group.steps, wanted)
    const heads = [...keysOf(group.steps, wanted), ...group.heads].map(
      (step): HostStatement => ({ kind: 'compute', step }),
    )
    return call === undefined ? heads : [...heads, { kind: 'compute', step: call }]
  })
}

/** A graph gives no keys: those that others read are made by the host as well. */
function keysOf(steps: readonly Step[], wanted: ReadonlySet<string>): readonly Step[] {
  const needed = new Set(wanted)
  const keys = steps.toReversed().filter(step => {
    if (step.op !== 'key_at' || !outputNames(step).some(name => needed.has(name))) return false
    for (const name of step.inputs) needed.add(name)
    return true
  })
  return keys.toReversed()
}

/** The call of a graph made of these steps; there is none where nothing of it is read. */
function callOf(context: Context, steps: readonly Step[], wanted: ReadonlySet<string>): Step | undefined {
  const own = steps.flatMap(({ outputs }) => outputs)
  const results = own.filter(({ name, type }) => type !== 'key' && wanted.has(name))
  if (results.length === 0) return undefined
  const passed = new Passed()
  const inner = steps.map(step => mapExprs(step, expr => passed.inside(expr)))
  const defined = new Set(own.map(({ name }) => name))
  const taken = [...new Set(inner.flatMap(readsOfStep))].filter(name => !defined.has(name))
  const params = withSizes(
    context,
    taken.map(name => valueNamed(context, name)),
    own,
  )
  const { phase, name, origin } = context.step
  const base = `${phase}${name === undefined ? '' : `.${name}`}.graph`
  const func: Func = {
    name: context.names.fresh(base),
    declaration: base,
    role: 'graph',
    params,
    hostParams: passed.names,
    steps: inner,
    results: results.map(result => result.name),
    origin,
  }
  context.graphs.push(func)
  return {
    op: 'call',
    inputs: params.map(param => param.name),
    attrs: { func: func.name, host: passed.exprs },
    outputs: results,
    origin: steps.find(step => outputNames(step).includes(results[0]?.name ?? ''))?.origin ?? origin,
  }
}

function valueNamed({ types }: Context, name: string): Value {
  return { name, type: types.get(name) ?? bug(`%${name} has no type`) }
}

/** A size that no input of the graph tells is told by one more of them: the first value of the step that has it. */
function withSizes(context: Context, params: readonly Value[], own: readonly Value[]): readonly Value[] {
  const told = new Set(params.flatMap(({ type }) => sizesIn(type)))
  const open = new Set(own.flatMap(({ type }) => sizesIn(type)).filter(size => !told.has(size)))
  const tellers = [...open].flatMap(
    size => valuesOf(context.step).find(({ type }) => sizesIn(type).includes(size)) ?? [],
  )
  return [...params, ...new Set(tellers)]
}
