import type { Span } from '../../base/source.ts'
import type { HostExpr, Optimizer } from '../../ir/ir.ts'
import type { Block, Expr, For, While } from '../../syntax/ast.ts'
import { visit } from '../../syntax/walk.ts'
import { complain, originOf } from '../context.ts'
import { checkShadowing } from '../declaring.ts'
import { describe } from '../describe.ts'
import { expression } from '../evaluate.ts'
import { apply, constantOf, number } from '../host.ts'
import { columnsOf, iterate, miscounted } from '../iteration.ts'
import { hostNumber } from '../operators.ts'
import { scan } from '../scan.ts'
import { errorValue, type Value } from '../values.ts'
import { movedWith } from './minimize.ts'
import type { StepContext } from './stepContext.ts'
import { inBlocks } from './variables.ts'

/** How the statements of a block are elaborated; they hold loops themselves. */
export type Elaborate = (step: StepContext, block: Block) => void

/** `for` in a step or hook: over an axis a scan, over a range a loop of the host, over a list unrolled. */
export function forLoop(step: StepContext, node: For, elaborate: Elaborate): void {
  if (node.iterable.kind === 'Range') return countingLoop(step, node, node.iterable, elaborate)
  const columns = columnsOf(step.ctx, node.iterable)
  if (columns.some(column => column.kind === 'sequence')) scan(step.ctx, node, columns, 'nothing')
  else unrolled(step, node, columns, elaborate)
}

function unrolled(step: StepContext, node: For, columns: readonly Value[], elaborate: Elaborate): void {
  const rounds = iterate(step.ctx, node.names, node.iterable, columns)
  if (rounds === 'error') return bindErrors(step, node, elaborate)
  for (const bind of rounds.bindings) {
    const env = step.ctx.env.child()
    bind(env)
    elaborate({ ...step, ctx: { ...step.ctx, env }, loop: 'unrolled' }, node.body)
  }
}

/** What is in the body is checked although nothing is known of what it goes over. */
function bindErrors(step: StepContext, node: For, elaborate: Elaborate): void {
  const env = step.ctx.env.child()
  for (const name of node.names) env.define(name.text, errorValue, name.span)
  step.region.branches([() => elaborate({ ...step, ctx: { ...step.ctx, env }, loop: 'host' }, node.body)])
}

type RangeExpr = Extract<Expr, { readonly kind: 'Range' }>

function countingLoop(step: StepContext, node: For, range: RangeExpr, elaborate: Elaborate): void {
  const { ctx } = step
  const [name, second] = node.names
  if (!name || second) {
    miscounted(ctx, range, 1, node.names.length)
    return bindErrors(step, node, elaborate)
  }
  const from = range.from ? bound(step, range.from) : number(0)
  const to = range.to ? bound(step, range.to) : number(Number.POSITIVE_INFINITY)
  if (!from || !to) return bindErrors(step, node, elaborate)
  checkShadowing(ctx, name)
  const index = step.region.variable(name.text)
  hostLoop(step, node.body, { index, from, ...(range.to ? { to } : {}), span: node.span }, inner => {
    const env = inner.ctx.env.child()
    const value: Value = { kind: 'float', expr: { kind: 'var', name: index }, whole: true }
    env.define(name.text, value, name.span, { unshadowed: true })
    elaborate({ ...inner, ctx: { ...inner.ctx, env } }, node.body)
  })
}

/** One end of a range: a whole number that the host knows, or that a tensor holds. */
function bound(step: StepContext, node: Expr): HostExpr | undefined {
  const value = expression(step.ctx, node)
  if (value.kind === 'int' || (value.kind === 'float' && value.whole === true)) return hostNumber(value)?.expr
  if (value.kind === 'tensor' && value.type.dtype === 'i32' && value.type.shape.length === 0)
    return { kind: 'item', value: value.name }
  if (value.kind !== 'error')
    complain(step.ctx, 'LTM2109', node.span, { wanted: 'a whole number', got: describe(value) })
  return undefined
}

/** `while c { … }`: rounds without an end, and the condition decides in each whether it is the last. */
export function whileLoop(
  step: StepContext,
  node: While,
  elaborate: Elaborate,
  condition: (step: StepContext, node: Expr) => HostExpr | undefined,
): void {
  const index = step.region.variable('round')
  hostLoop(step, node.body, { index, from: number(0), span: node.span }, inner => {
    const goesOn = condition(inner, node.condition)
    const origin = originOf(node.condition.span)
    const ends = goesOn && apply('not', [goesOn])
    if (ends && constantOf(ends) !== false) {
      const leave = { kind: 'break', origin } as const
      inner.region.body.push({ kind: 'if', condition: ends, then: [leave], otherwise: [], origin })
    }
    if (!ends) step.training.silent.push(node.condition.span)
    elaborate(inner, node.body)
  })
}

interface Head {
  readonly index: string
  readonly from: HostExpr
  readonly to?: HostExpr
  readonly span: Span
}

/** A loop whose body is compiled once: what it moves and sets in one round has been moved and set in the next. */
function hostLoop(
  step: StepContext,
  block: Block,
  { index, from, to, span }: Head,
  elaborate: (step: StepContext) => void,
): void {
  const { region } = step
  inBlocks(step, [block], (within, refresh) => {
    const minimized = minimizedIn(step, block)
    for (const { optimizer, at } of minimized) region.moved(movedWith(step, optimizer), at)
    const inner: StepContext = { ...within, loop: 'host', updated: step.updated || minimized.length > 0 }
    const body = region.loop(index, span, () => {
      refresh()
      elaborate(inner)
    })
    if (inner.updated) step.updated = true
    region.body.push({ kind: 'for', index, from, ...(to ? { to } : {}), body, origin: originOf(span) })
  })
}

/** The optimizers that minimise in a block; mistakes are reported where they stand. */
function minimizedIn(
  { training: { optimizers } }: StepContext,
  block: Block,
): readonly { readonly optimizer: Optimizer; readonly at: Span }[] {
  const found: { readonly optimizer: Optimizer; readonly at: Span }[] = []
  visit(block, {
    Minimize: ({ optimizer: name, span }) => {
      const optimizer = name ? optimizers.find(each => each.name === name.text) : optimizers[0]
      if (optimizer) found.push({ optimizer, at: span })
    },
  })
  return found
}
