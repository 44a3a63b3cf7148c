import { nearest } from '../../base/names.ts'
import { type Span, textOf } from '../../base/source.ts'
import type { HostExpr, Monitor, Plateau, Stall } from '../../ir/ir.ts'
import type { Call, Expr } from '../../syntax/ast.ts'
import { type Context, complain, type Watching } from '../context.ts'
import { errorValue, type Value } from '../values.ts'
import { checkOptions, direction, option } from './options.ts'
import { type Keeper, kept } from './snapshots.ts'
import type { Reading, Training } from './training.ts'

const phases = ['train', 'val', 'test', 'predict']

/** The full name that `val.accuracy` is, where `val` is nothing else; undefined for other expressions. */
export function loggedName(ctx: Context, node: Expr): string | undefined {
  const root = rootOf(node)
  const isPhase =
    node.kind === 'Member' && root !== undefined && phases.includes(root) && !ctx.env.lookup(root)
  return isPhase ? textOf(node.span).replace(/\s+/g, '') : undefined
}

function rootOf(node: Expr): string | undefined {
  if (node.kind === 'Member') return rootOf(node.object)
  return node.kind === 'Name' ? node.text : undefined
}

/** What steps and hooks ask of logged values: to read one, and whether one has stalled. */
export function watching(training: Training, reader: string, step: Keeper): Watching {
  const note = (name: string, span: Span) => training.readings.push({ name, span, reader })
  return {
    read: (ctx, node) => {
      const name = loggedName(ctx, node)
      if (name === undefined) return undefined
      note(name, node.span)
      return { kind: 'float', expr: { kind: 'logged', name } }
    },
    stalled: (ctx, node) => stalledCondition(training, ctx, node, note),
    keep: (value, { text, span }) => kept(step, value, text, span),
  }
}

/** `stalled(min: val.loss, patience: 2)` as a condition: true when patience runs out, and then it begins anew. */
function stalledCondition(
  training: Training,
  ctx: Context,
  node: Pick<Call, 'args' | 'span'>,
  note: (name: string, span: Span) => void,
): Value {
  if (!checkOptions(ctx, node.args, 'stalled', plateauOptions)) return errorValue
  const found = direction(node.args)
  if (!found) {
    const wanted = '`stalled(min: val.loss, patience: 5)`'
    return complain(ctx, 'LTM4202', node.span, { key: 'stalled', wanted })
  }
  const monitor = loggedName(ctx, found.value) ?? textOf(found.value.span).replace(/\s+/g, '')
  note(monitor, found.value.span)
  const stall = plateauOf(ctx, node.args, { direction: found.direction, monitor })
  const expr: HostExpr = { kind: 'stalled', place: training.stalls.fresh(monitor), ...stall }
  return { kind: 'bool', expr }
}

/** What `stalled` takes wherever it stands. */
export const stallOptions = ['min', 'max', 'patience', 'min_delta']

/** The options of `stalled`, with what they are where they are left out. */
export function stallOf(ctx: Context, args: Call['args'], monitor: Monitor, patience = 3): Stall {
  return {
    ...monitor,
    patience: option(ctx, args, 'patience', patience),
    minDelta: option(ctx, args, 'min_delta', 0),
  }
}

/** What it takes besides where it counts anew after a stall: in conditions and as a plateau. */
export const plateauOptions = [...stallOptions, 'min_share', 'cooldown']

export function plateauOf(ctx: Context, args: Call['args'], monitor: Monitor, patience?: number): Plateau {
  const [minShare, cooldown] = [option(ctx, args, 'min_share', 0), option(ctx, args, 'cooldown', 0)]
  return {
    ...stallOf(ctx, args, monitor, patience),
    ...(minShare === 0 ? {} : { minShare }),
    ...(cooldown === 0 ? {} : { cooldown }),
  }
}

/** Every reading names what some step or hook logs, and can find it there. */
export function checkReadings(training: Training): void {
  for (const reading of training.readings) {
    if (!isLogged(training, reading.name)) unknownMonitor(training, reading.name, reading.span)
    else if (isTooEarly(reading))
      complain(training.ctx, 'LTM4380', reading.span, {
        name: reading.name,
        reader: readerText(reading.reader),
      })
  }
}

/** Whether something is logged under a name; below a failed metric any name is taken as it is. */
export function isLogged(training: Training, name: string): boolean {
  const known = [...training.logged]
  return known.includes(name) || known.some(each => each.endsWith('.*') && name.startsWith(each.slice(0, -1)))
}

export function unknownMonitor(training: Training, monitor: string, span: Span): void {
  const known = [...training.logged].filter(name => !name.endsWith('.*'))
  const list =
    known.length === 0
      ? 'nothing is logged at all'
      : `what is logged: ${known.map(name => `\`${name}\``).join(', ')}`
  complain(training.ctx, 'LTM4107', span, { monitor, near: nearest(monitor, known), known: list })
}

/** Before the first batch there is nothing; tests follow training, and predictions see neither. */
export function isTooEarly({ name, reader }: Pick<Reading, 'name' | 'reader'>): boolean {
  const phase = name.split('.')[0]
  if (['exception', 'teardown', 'load_checkpoint', 'save_checkpoint'].includes(reader)) return false
  if (['setup', 'fit_start', 'sanity_check_start', 'sanity_check_end', 'train_start'].includes(reader))
    return true
  if (reader.startsWith('predict')) return phase !== 'predict' || reader === 'predict_start'
  if (reader.startsWith('test')) return phase === 'predict' || (phase === 'test' && !testHasEnded(reader))
  return phase === 'test' || phase === 'predict'
}

/** Tests are one pass, whose values are there when it has ended. */
const testHasEnded = (reader: string): boolean => ['test_epoch_end', 'test_end'].includes(reader)

function readerText(reader: string): string {
  if (reader === 'trainer') return 'the trainer'
  return phases.includes(reader) ? `step ${reader}` : `\`on ${reader}\``
}
