import { textOf } from '../../base/source.ts'
import type { Monitor, StopRule } from '../../ir/ir.ts'
import type { Call, Expr } from '../../syntax/ast.ts'
import { complain } from '../context.ts'
import { cadenceOf, type Said } from './lengths.ts'
import { isLogged, stallOf, stallOptions } from './monitors.ts'
import { callOf, checkOptions, direction, numberOption, option, truthOption } from './options.ts'
import type { Training } from './training.ts'

/** `best(max: val.accuracy, count: 3)`, `every(5 epochs)`, `latest`, or a list of such. */
export function keepOf(training: Training, node: Expr): Said {
  const nodes = node.kind === 'ListLiteral' ? node.items : [node]
  const kept = nodes.map(each => ({ node: each, said: keptBy(training, each) }))
  const bests = kept.filter(({ said }) => said.keep !== undefined)
  const [first, second] = bests
  if (first && second) {
    const labels = [{ span: first.node.span, text: 'the other one' }]
    complain(training.ctx, 'LTM3002', second.node.span, { name: 'best', what: '`keep`' }, { labels })
  }
  const every = kept.flatMap(({ said }) => said.keepEvery ?? [])
  return { ...first?.said, ...(every.length > 0 && { keepEvery: every }) }
}

/** The latest is kept whatever else is. */
function keptBy(training: Training, node: Expr): Said {
  const { ctx } = training
  if (node.kind === 'Name' && node.text === 'latest') return {}
  const call = callOf(node, ['best', 'every'])
  if (!call) {
    const wanted = '`best(max: val.accuracy, count: 3)`, `every(5 epochs)`, `latest`, or a list of them'
    complain(ctx, 'LTM4202', node.span, { key: 'keep', wanted })
    return {}
  }
  return call.name === 'every' ? everyOf(training, call.args, node) : bestOf(training, call.args, node)
}

function everyOf(training: Training, args: Call['args'], node: Expr): Said {
  const [cadence] = args
  if (args.length !== 1 || cadence?.kind !== 'Positional') {
    const wanted = 'one cadence, as in `every(5 epochs)` or `every(1000 updates)`'
    complain(training.ctx, 'LTM4202', node.span, { key: 'keep', wanted })
    return {}
  }
  const every = cadenceOf(training, cadence.value, 'keep')
  if (every === undefined) return {}
  if (!Number.isInteger(every.count) && every.unit === 'epochs') {
    const wanted = 'whole epochs, as in `every(1 epochs)`; of less there are batches and updates'
    complain(training.ctx, 'LTM4202', cadence.value.span, { key: 'keep', wanted })
    return {}
  }
  training.cadences.push({ ...every, span: cadence.value.span })
  return { keepEvery: [every] }
}

function bestOf(training: Training, args: Call['args'], node: Expr): Said {
  const { ctx } = training
  if (!checkOptions(ctx, args, 'best', ['min', 'max', 'count'])) return {}
  if (!direction(args)) {
    const wanted = 'a direction: `best(max: val.accuracy)` or `best(min: val.loss)`'
    complain(ctx, 'LTM4202', node.span, { key: 'keep', wanted })
    return {}
  }
  const monitor = monitorOf(training, args)
  return monitor ? { keep: { ...monitor, count: option(ctx, args, 'count', 1) } } : {}
}

/** `restore: best`. */
export function restoreOf({ ctx }: Training, node: Expr): Said {
  if (node.kind === 'Name' && node.text === 'best') return { restore: 'best' }
  complain(ctx, 'LTM4202', node.span, { key: 'restore', wanted: '`best`' })
  return {}
}

/** `stalled(min: val.loss, patience: 5)`, or a list of such. */
export function stopOf(training: Training, node: Expr): Said {
  const nodes = node.kind === 'ListLiteral' ? node.items : [node]
  const rules = nodes.flatMap(each => ruleOf(training, each) ?? [])
  return rules.length === 0 ? {} : { stop: rules }
}

const thresholds = ['stopping_threshold', 'divergence_threshold', 'check_finite']

function ruleOf(training: Training, node: Expr): StopRule | undefined {
  const { ctx } = training
  const call = callOf(node, ['stalled'])
  if (call && !checkOptions(ctx, call.args, 'stalled', [...stallOptions, ...thresholds])) return undefined
  if (!call || !direction(call.args)) {
    const wanted = '`stalled(min: val.loss, patience: 5)`'
    return void complain(ctx, 'LTM4202', node.span, { key: 'stop', wanted })
  }
  const monitor = monitorOf(training, call.args)
  if (!monitor) return undefined
  const good = numberOption(ctx, call.args, 'stopping_threshold')
  const bad = numberOption(ctx, call.args, 'divergence_threshold')
  return {
    ...stallOf(ctx, call.args, monitor),
    ...(good === undefined ? {} : { stoppingThreshold: good }),
    ...(bad === undefined ? {} : { divergenceThreshold: bad }),
    checkFinite: truthOption(ctx, call.args, 'check_finite', true),
  }
}

/** `max: val.accuracy`: a name that some step logs. */
function monitorOf(training: Training, args: Call['args']): Monitor | undefined {
  const found = direction(args)
  if (!found) return undefined
  const monitor = textOf(found.value.span).replace(/\s+/g, '')
  training.readings.push({ name: monitor, span: found.value.span, reader: 'trainer' })
  return isLogged(training, monitor) ? { direction: found.direction, monitor } : undefined
}
