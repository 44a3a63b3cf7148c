import { nearest } from '../../base/names.ts'
import { type Span, textOf } from '../../base/source.ts'
import type { Monitor, TrainerSettings } from '../../ir/ir.ts'
import type { Call, Expr, Trainer } from '../../syntax/ast.ts'
import { type Context, complain } from '../context.ts'
import { expression } from '../evaluate.ts'
import { knownNumber, type Value } from '../values.ts'
import { isLogged, stallOf } from './monitors.ts'
import { checkOptions, direction, option } from './options.ts'
import type { Training } from './training.ts'

type Settings = { -readonly [K in keyof TrainerSettings]: TrainerSettings[K] }
type Setter = (training: Training, node: Expr, settings: Settings) => void

/** Every setting of `trainer`, each read by its own rule. */
const setters: Readonly<Record<string, Setter>> = {
  epochs: (training, node, settings) => {
    const count = duration(training, node, 'epochs')
    if (count) settings.epochs = count.count
  },
  updates: (training, node, settings) => {
    const count = duration(training, node, 'updates')
    if (count) settings.updates = count
  },
  run: (training, node, settings) => {
    const value = expression(training.ctx, node)
    if (value.kind === 'duration' && value.unit === 'epochs') settings.epochs = value.count
    else if (value.kind === 'duration' && value.unit === 'updates')
      settings.updates = { count: value.count, ...counted(training, value.of, node) }
    else wanted(training.ctx, node, 'run', 'a duration, as in `20 epochs` or `50000 updates of g`', value)
  },
  seed: (training, node, settings) => {
    const seed = whole(training.ctx, node, 'seed', 0)
    if (seed !== undefined) settings.seed = seed
  },
  accumulate: (training, node, settings) => {
    const batches = whole(training.ctx, node, 'accumulate', 1)
    if (batches !== undefined) settings.accumulate = batches
  },
  clip: (training, node, settings) => {
    const call = callOf(node, ['norm', 'value'])
    const limit =
      call && call.args[0]?.kind === 'Positional'
        ? knownNumber(expression(training.ctx, call.args[0].value))
        : undefined
    if (call && limit !== undefined && limit > 0)
      settings.clip = { kind: call.name === 'norm' ? 'norm' : 'value', limit }
    else complain(training.ctx, 'LTM4202', node.span, { key: 'clip', wanted: '`norm(1.0)` or `value(0.5)`' })
  },
  keep: (training, node, settings) => {
    const call = callOf(node, ['best'])
    if (call) checkOptions(training.ctx, call.args, 'best', ['min', 'max', 'count'])
    const monitor = call && monitorOf(training, call.args)
    if (!call)
      complain(training.ctx, 'LTM4202', node.span, {
        key: 'keep',
        wanted: '`best(max: val.accuracy)` or `best(min: val.loss, count: 3)`',
      })
    else if (monitor) settings.keep = { ...monitor, count: option(training.ctx, call.args, 'count', 1) }
    else if (!direction(call.args))
      complain(training.ctx, 'LTM4202', node.span, {
        key: 'keep',
        wanted: 'a direction: `best(max: val.accuracy)` or `best(min: val.loss)`',
      })
  },
  stop: (training, node, settings) => {
    const call = callOf(node, ['stalled'])
    const monitor = call && monitorOf(training, call.args)
    if (!call || !direction(call.args))
      complain(training.ctx, 'LTM4202', node.span, {
        key: 'stop',
        wanted: '`stalled(min: val.loss, patience: 5)`',
      })
    else if (monitor) settings.stop = stallOf(training.ctx, call.args, monitor)
  },
  validate: (training, node, settings) => {
    const value = expression(training.ctx, node)
    const count = knownNumber(value)
    if (value.kind === 'duration' && (value.unit === 'epochs' || value.unit === 'updates'))
      settings.validate = { count: value.count, unit: value.unit }
    else if (count !== undefined && count >= 1) settings.validate = { count, unit: 'epochs' }
    else wanted(training.ctx, node, 'validate', 'a cadence, as in `2 epochs` or `500 updates`', value)
  },
  nonfinite: (training, node, settings) => {
    const word = node.kind === 'Name' ? node.text : ''
    if (word === 'stop' || word === 'skip' || word === 'continue') settings.nonfinite = word
    else
      complain(training.ctx, 'LTM4202', node.span, {
        key: 'nonfinite',
        wanted: '`stop`, `skip` or `continue`',
      })
  },
  precision: (training, node) => {
    if (node.kind !== 'Name' || node.text !== 'f32')
      complain(training.ctx, 'LTM4507', node.span, { precision: textOf(node.span) })
  },
}

export function elaborateTrainer(
  training: Training,
  node: Trainer | undefined,
  /** The `train` whose end is to be said; undefined where it trains nothing. */
  trains: Span | undefined,
): TrainerSettings {
  const settings: Settings = { seed: 1, accumulate: 1, nonfinite: 'stop' }
  const seen = new Map<string, Span>()
  for (const field of node?.settings.fields ?? []) {
    const key = field.name.text
    const before = seen.get(key)
    if (before)
      complain(
        training.ctx,
        'LTM3002',
        field.name.span,
        { name: key, what: '`trainer`' },
        { labels: [{ span: before, text: 'the other one' }] },
      )
    seen.set(key, field.name.span)
    const setter = Object.hasOwn(setters, key) ? setters[key] : undefined
    if (setter) setter(training, field.value, settings)
    else complain(training.ctx, 'LTM4201', field.name.span, { key, near: nearest(key, Object.keys(setters)) })
  }
  const said = node?.settings.fields.some(field => ['epochs', 'updates', 'run'].includes(field.name.text))
  if (!said && trains) complain(training.ctx, 'LTM4203', node?.span ?? trains, undefined)
  return settings
}

function wanted(ctx: Context, node: Expr, key: string, what: string, value: Value): void {
  if (value.kind !== 'error') complain(ctx, 'LTM4202', node.span, { key, wanted: what })
}

/** Whose updates count: those of an optimizer of the `train`. */
function counted(
  { ctx, optimizers, failedOptimizers }: Training,
  of: string | undefined,
  node: Expr,
): { readonly of?: string } {
  if (of === undefined) return {}
  const names = optimizers.map(({ name }) => name)
  if (!names.includes(of) && !failedOptimizers.has(of)) {
    const span = node.kind === 'NumberLiteral' && node.of ? node.of.span : node.span
    complain(ctx, 'LTM3001', span, { name: of, near: nearest(of, names) })
  }
  return { of }
}

/** A count with or without its unit: `20`, `20 epochs`, `500 of g`. */
function duration(
  training: Training,
  node: Expr,
  unit: 'epochs' | 'updates',
): { readonly count: number; readonly of?: string } | undefined {
  const { ctx } = training
  const value: Value =
    unit === 'updates' && node.kind === 'NumberLiteral' && node.of && !node.unit
      ? { kind: 'duration', count: node.value, unit, of: node.of.text }
      : expression(ctx, node)
  const count =
    value.kind === 'duration' && value.unit === unit
      ? value.count
      : value.kind === 'int'
        ? knownNumber(value)
        : undefined
  if (count !== undefined && count >= 1)
    return { count, ...(value.kind === 'duration' ? counted(training, value.of, node) : {}) }
  wanted(ctx, node, unit, `a whole number of ${unit}, 1 or more`, value)
  return undefined
}

function whole(ctx: Context, node: Expr, key: string, least: number): number | undefined {
  const value = expression(ctx, node)
  const count = value.kind === 'int' ? knownNumber(value) : undefined
  if (count !== undefined && count >= least) return count
  wanted(ctx, node, key, `a whole number, ${least} or more`, value)
  return undefined
}

function callOf(
  node: Expr,
  names: readonly string[],
): { readonly name: string; readonly args: Call['args'] } | undefined {
  if (node.kind !== 'Call' || node.callee.kind !== 'Name' || !names.includes(node.callee.text))
    return undefined
  return { name: node.callee.text, args: node.args }
}

/** `max: val.accuracy`: a name that some step logs. */
export function monitorOf(training: Training, args: Call['args']): Monitor | undefined {
  const found = direction(args)
  if (!found) return undefined
  const monitor = textOf(found.value.span).replace(/\s+/g, '')
  training.readings.push({ name: monitor, span: found.value.span, reader: 'trainer' })
  return isLogged(training, monitor) ? { direction: found.direction, monitor } : undefined
}
