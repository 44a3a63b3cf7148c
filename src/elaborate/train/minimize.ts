import { nearest } from '../../base/names.ts'
import type { Span } from '../../base/source.ts'
import type { Optimizer, Step } from '../../ir/ir.ts'
import type { Minimize } from '../../syntax/ast.ts'
import { complain, originOf } from '../context.ts'
import { describe } from '../describe.ts'
import { expression } from '../evaluate.ts'
import { named } from '../statements.ts'
import { toTensor } from '../tensors.ts'
import { logName, type StepContext, weightOf } from './stepContext.ts'

/** `minimize LOSS with NAME`: differentiates by the parameters of one optimizer and moves them. */
export function minimize(step: StepContext, node: Minimize): void {
  const { ctx } = step
  const [term, second] = node.terms
  if (!term) return
  if (second) return void complain(ctx, 'LTM9001', second.span, { what: 'several terms in one `minimize`' })
  const name = term.name?.text ?? 'loss'
  if (!term.name && step.names.has('loss'))
    return void complain(ctx, 'LTM4108', node.span, undefined, {
      labels: [{ span: step.names.get('loss')!, text: 'the other one' }],
    })
  const optimizer = optimizerOf(step, node)
  const value = toTensor(ctx, named(ctx, expression(ctx, term.value), name), term.value.span)
  const weight = term.over && weightOf(step, term.over, value)
  const logged = logName(step, name, node.span, false)
  if (!optimizer || value.kind === 'error') {
    step.training.reached.all = true
    step.training.silent.push(term.value.span)
    return
  }
  if (value.type.dtype !== 'f32')
    return void complain(ctx, 'LTM2109', term.value.span, { wanted: 'an f32 loss', got: describe(value) })
  const paths = optimizer.groups.flatMap(group => group.parameters)
  const reads = readsOf(step, [value.name, ...(weight ? [weight.name] : [])])
  for (const read of reads) if (paths.includes(read.path)) step.training.reached.paths.add(read.path)
  const moved = reads.find(
    read => paths.includes(read.path) && step.region.movedSince(read.path, read.version),
  )
  if (moved) reportStale(step, node.span, moved, optimizer)
  else if (!reads.some(read => paths.includes(read.path))) {
    step.training.reached.all = true
    complain(ctx, 'LTM4102', term.value.span, { loss: name, optimizer: optimizer.name })
  }
  step.region.body.push({
    kind: 'minimize',
    name: logged,
    optimizer: optimizer.name,
    body: [],
    loss: value.name,
    ...(weight ? { weight: weight.name } : {}),
    exports: [],
    origin: originOf(node.span),
  })
  step.region.moved(paths, node.span)
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
  const { region } = step
  const seen = new Set<string>()
  const reads: Read[] = []
  const visit = (value: string, through: string): void => {
    if (seen.has(value)) return
    seen.add(value)
    const read = region.readVersions.get(value)
    if (read) reads.push({ ...read, through })
    const maker = region.makers.get(value)
    if (maker && maker.op !== 'stop_gradient')
      for (const input of maker.inputs) visit(input, isNamed(maker, value) ? value : through)
  }
  for (const value of values) visit(value, value)
  return reads
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
    { value: read.through, optimizer: optimizer.name },
    since ? { labels: [{ span: since, text: `\`${read.path}\` was moved here` }] } : {},
  )
}
