import { nearest } from '../../base/names.ts'
import type { Span } from '../../base/source.ts'
import type { Details } from '../../diagnostics/catalogue/index.ts'
import type { LossTerm, Optimizer, Step, ValueType } from '../../ir/ir.ts'
import { movedBy } from '../../ir/optimizers.ts'
import type { Minimize, Term } from '../../syntax/ast.ts'
import { sameType, type TensorType } from '../../types/tensor.ts'
import { complain, originOf } from '../context.ts'
import { describe } from '../describe.ts'
import { expression } from '../evaluate.ts'
import { named } from '../statements.ts'
import { toTensor } from '../tensors.ts'
import { logName, type StepContext, weightOf } from './stepContext.ts'
import { takesTogether } from './togetherness.ts'

/**
 * `minimize LOSS with NAME`: differentiates by the parameters of one optimizer and moves them. Of several terms the sum of
 * the means counts.
 */
export function minimize(step: StepContext, node: Minimize): void {
  if (unnamedTwice(step, node)) return
  const optimizer = optimizerOf(step, node)
  const terms = node.terms.map(each => term(step, each, node.span, optimizer !== undefined))
  const known = terms.filter(each => each !== undefined)
  if (!optimizer || known.length < terms.length) {
    step.training.reached.all = true
    for (const each of node.terms) step.training.silent.push(each.value.span)
    return
  }
  for (const [i, each] of known.entries())
    checkReads(step, optimizer, each, node.terms[i]?.value.span ?? node.span)
  checkAlone(step, optimizer, node.span)
  noteMinimised(step, optimizer.name, known, node)
  step.region.body.push({
    kind: 'minimize',
    optimizer: optimizer.name,
    terms: known,
    body: [],
    exports: [],
    origin: originOf(node.span),
  })
  step.region.moved(movedWith(step, optimizer), node.span)
}

/** What is known of the curvature of one loss says nothing about another; a running mean of gradients is what it is. */
function checkAlone({ ctx, training }: StepContext, optimizer: Optimizer, span: Span): void {
  const { name, slots, closure } = optimizer
  const vector = closure?.inputs[slots.length]?.type
  const own = slots.find(({ type }) => type !== undefined && !isSame(type, vector))
  if (closure === undefined || own === undefined) return
  const before = training.minimised.get(name)
  training.minimised.set(name, span)
  if (before === undefined || before.start === span.start) return
  complain(
    ctx,
    'LTM4117',
    span,
    { name, slot: own.name },
    { labels: [{ span: before, text: 'the other one' }] },
  )
}

function isSame(type: TensorType, other: ValueType | undefined): boolean {
  return typeof other === 'object' && sameType(type, other)
}

function noteMinimised(
  { ctx, training, region }: StepContext,
  optimizer: string,
  terms: readonly LossTerm[],
  node: Minimize,
): void {
  for (const [i, { name, loss }] of terms.entries())
    training.losses.push({
      loss: name,
      optimizer,
      takesTogether: () => takesTogether(region.makers, loss, region.batches, ctx.world.functions.list),
      span: node.terms[i]?.value.span ?? node.span,
    })
}

/** A term without a name is called `loss`, and one in a step may be. */
function unnamedTwice(step: StepContext, node: Minimize): boolean {
  const unnamed = node.terms.filter(each => !each.name)
  const [first, second] = unnamed
  const before = step.names.get('loss') ?? (second && first?.value.span)
  if (!first || !before) return false
  const at = second?.value.span ?? node.span
  complain(step.ctx, 'LTM4108', at, undefined, { labels: [{ span: before, text: 'the other one' }] })
  return true
}

/** One `[name =] E [over w]`; undefined where it has an error. Without an optimizer no more is asked of it. */
function term(step: StepContext, node: Term, minimized: Span, checked: boolean): LossTerm | undefined {
  const { ctx } = step
  const name = node.name?.text ?? 'loss'
  const value = toTensor(ctx, named(ctx, expression(ctx, node.value), name), node.value.span)
  const weight = node.over && weightOf(step, node.over, value)
  const logged = logName(step, name, node.name?.span ?? minimized, false)
  if (value.kind === 'error' || (node.over && !weight)) return undefined
  if (checked && value.type.dtype !== 'f32')
    return void complain(ctx, 'LTM2109', node.value.span, { wanted: 'an f32 loss', got: describe(value) })
  return { name: logged, loss: value.name, ...(weight ? { weight: weight.name } : {}) }
}

/** What an update of an optimizer moves: its parameters, and the averages that follow these. */
export function movedWith({ training }: StepContext, { name }: Optimizer): readonly string[] {
  return movedBy([...training.optimizers, ...training.averages], name)
}

function pathsOf({ groups }: Optimizer): readonly string[] {
  return groups.flatMap(group => group.parameters)
}

/** A loss depends on parameters of its optimizer, as they are now. */
function checkReads(step: StepContext, optimizer: Optimizer, { name, loss }: LossTerm, span: Span): void {
  const paths = pathsOf(optimizer)
  const reads = readsOf(step, [loss])
  const own = reads.filter(read => paths.includes(read.path))
  for (const read of own) step.training.reached.paths.add(read.path)
  const moved =
    own.find(read => step.region.movedSince(read.path, read.version)) ??
    staleOnTheWay(step, loss, reads, paths)
  if (moved) return reportStale(step, span, moved, optimizer)
  const variables = variablesOf(step, [loss])
  const standing = own.map(({ path }) => path).filter(path => step.training.standing.has(path))
  const reaches = standing.length < own.length
  if (variables.length > 0)
    step.region.carried.push({ name, optimizer: optimizer.name, paths, variables, span, reaches })
  else if (!reaches) reachesNothing(step, { loss: name, optimizer: optimizer.name, standing }, span)
}

/**
 * A parameter of another optimizer that has moved since a value was computed from it, where that value also depends on what is
 * to be moved now: a gradient would have to flow through it.
 */
function staleOnTheWay(
  step: StepContext,
  loss: string,
  reads: readonly Read[],
  paths: readonly string[],
): Read | undefined {
  const { region } = step
  const stale = reads.filter(({ path, version }) => !paths.includes(path) && region.movedSince(path, version))
  if (stale.length === 0) return undefined
  const through = valuesBehind(step, loss).find(value => {
    const own = readsOf(step, [value])
    const depends = (one: Read) =>
      own.some(({ path, version }) => path === one.path && version === one.version)
    return (
      own.some(({ path }) => paths.includes(path)) &&
      stale.some(one => depends(one) && region.madeBeforeMove(value, one.path))
    )
  })
  return through === undefined ? undefined : stale.find(one => region.madeBeforeMove(through, one.path))
}

/** A value and all that it was computed from, as far as gradients flow. */
function valuesBehind({ region }: StepContext, value: string): readonly string[] {
  const found = new Set([value])
  for (const each of found) {
    const maker = region.makers.get(each)
    if (maker !== undefined && maker.op !== 'stop_gradient')
      for (const input of maker.inputs) found.add(input)
  }
  return [...found]
}

function reachesNothing(step: StepContext, details: Details<'LTM4102'>, span: Span): void {
  step.training.reached.all = true
  complain(step.ctx, 'LTM4102', span, details)
}

/** No gradient flows through a variable of the host: refuses a loss where one would have to. */
export function checkCarried(step: StepContext): void {
  for (const { name, optimizer, paths, variables, span, reaches } of step.region.carried) {
    const found = carrying(step, variables, paths)
    if (!found && !reaches) reachesNothing(step, { loss: name, optimizer, standing: [] }, span)
    if (!found) continue
    step.training.reached.all = true
    complain(
      step.ctx,
      'LTM4504',
      span,
      { value: found.name, loss: name },
      { labels: [{ span: found.span, text: 'it is set here, where only the run knows' }] },
    )
  }
}

/** The variable, of those given and all that they were computed from, that was given a value that depends on parameters. */
function carrying(
  step: StepContext,
  variables: readonly string[],
  paths: readonly string[],
): { readonly name: string; readonly span: Span } | undefined {
  const seen = new Set<string>()
  const waiting = [...variables]
  for (const name of waiting) {
    if (seen.has(name)) continue
    seen.add(name)
    for (const { value, span } of step.region.assignments.get(name) ?? []) {
      if (readsOf(step, [value]).some(read => paths.includes(read.path))) return { name, span }
      waiting.push(...variablesOf(step, [value]))
    }
  }
  return undefined
}

/** The variables that values were computed from, as far as gradients would flow. */
function variablesOf({ region }: StepContext, values: readonly string[]): readonly string[] {
  const found = new Set<string>()
  for (const { maker } of origins(region, values)) if (maker?.op === 'get') found.add(String(maker.attrs.var))
  return [...found]
}

function optimizerOf(step: StepContext, node: Minimize): Optimizer | undefined {
  const { optimizers, failedOptimizers } = step.training
  if (node.optimizer) {
    const { text, span } = node.optimizer
    const found = optimizers.find(optimizer => optimizer.name === text)
    if (!found && !failedOptimizers.has(text))
      complain(step.ctx, 'LTM3001', span, {
        name: text,
        near: nearest(text, [...optimizers.map(optimizer => optimizer.name), ...failedOptimizers]),
      })
    return found
  }
  if (optimizers.length !== 1 && failedOptimizers.size === 0)
    complain(step.ctx, 'LTM4101', node.span, { names: optimizers.map(optimizer => optimizer.name) })
  return optimizers.length === 1 && failedOptimizers.size === 0 ? optimizers[0] : undefined
}

interface Read {
  readonly path: string
  readonly version: number
  /** The named value on the way from the loss to the read, for messages. */
  readonly through: string
}

/** The parameter reads that values depend on; gradients stop at `stop_gradient`. */
function readsOf(step: StepContext, values: readonly string[]): readonly Read[] {
  const reads: Read[] = []
  for (const { value, through } of origins(step.region, values)) {
    const read = step.region.readVersions.get(value)
    if (read) reads.push({ ...read, through })
  }
  return reads
}

interface Origin {
  readonly value: string
  readonly maker: Step | undefined
  /** The named value on the way to it. */
  readonly through: string
}

/**
 * Values and all that they were computed from, as far as gradients would flow: each once, depth first. A step is as long as
 * its text, so this does not recurse.
 */
function* origins({ makers }: StepContext['region'], values: readonly string[]): Generator<Origin> {
  const seen = new Set<string>()
  const waiting = values.map(value => ({ value, through: value })).reverse()
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    const { value, through } = next
    if (seen.has(value)) continue
    seen.add(value)
    const maker = makers.get(value)
    yield { value, maker, through }
    if (!maker || maker.op === 'stop_gradient') continue
    const named = isNamed(maker, value) ? value : through
    for (const input of maker.inputs.toReversed()) waiting.push({ value: input, through: named })
  }
}

/** Whether the user gave the value its name. */
function isNamed(maker: Step, value: string): boolean {
  return maker.op !== 'read' && !value.startsWith(maker.op)
}

function reportStale(step: StepContext, span: Span, read: Read, optimizer: Optimizer): void {
  const since = step.region.movedSince(read.path, read.version)
  complain(
    step.ctx,
    'LTM4103',
    span,
    { value: read.through, optimizer: moverOf(step, read.path) ?? optimizer.name },
    since ? { labels: [{ span: since, text: `\`${read.path}\` was moved here` }] } : {},
  )
}

function moverOf({ training }: StepContext, path: string): string | undefined {
  return training.optimizers.find(optimizer => pathsOf(optimizer).includes(path))?.name
}
