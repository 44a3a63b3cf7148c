import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { JsonValue, Snapshot } from '../runtime/contracts.ts'
import { formatCount, formatDuration, formatNumber } from '../runtime/report/format.ts'
import { listIn, memberOf, membersOf, numberIn, textIn } from '../runtime/stored.ts'
import { columns, factsOf, type TensorFacts, tensorLines } from './tensorTable.ts'

/** What a checkpoint holds, for people. */
export function showCheckpoint(path: string, snapshot: Snapshot): string {
  const { state } = snapshot
  const facts = tensorsOf(snapshot)
  const lines = [
    path,
    ...columns(headRows(path, snapshot), 2),
    '',
    ...tensorLines(facts.weights, 'weights'),
    ...(facts.others.length === 0 ? [] : ['', ...columns(otherRows(facts.others), 1)]),
    ...section('last logged', logRows(state)),
  ]
  return `${lines.join('\n')}\n`
}

/** The same for programs: all of the state, and every tensor. */
export function checkpointJson(path: string, snapshot: Snapshot): unknown {
  const tensors = [...snapshot.tensors].map(([name, tensor]) => factsOf(name, tensor))
  return { path, saved: savedAt(snapshot), state: snapshot.state, tensors }
}

function savedAt({ time }: Snapshot): string {
  return time === undefined ? '?' : new Date(time).toISOString()
}

function headRows(path: string, snapshot: Snapshot): readonly (readonly string[])[] {
  const { state } = snapshot
  const program = memberOf(state, 'program')
  const failed = textIn(state, 'failed')
  const kept = listIn(memberOf(state, 'watch'), 'kept')
  const rows: (readonly [string, string])[] = [
    ['saved', `${savedAt(snapshot)}, ${sizeOf(path)}`],
    ['program', `${textIn(program, 'name') ?? '?'} in ${textIn(program, 'file') ?? '?'}`],
    ['settings', memberText(memberOf(program, 'settings'))],
    ['at', placeText(state)],
    ['updates', memberText(memberOf(memberOf(state, 'clocks'), 'updates'))],
    ['on', `${textIn(state, 'backend') ?? '?'}, seed ${numberIn(state, 'seed')}`],
    ['variables', memberText(memberOf(state, 'vars'))],
    ['frozen', frozenText(listIn(state, 'frozen'))],
    ['kept', kept.map(each => `${textIn(each, 'name')} ${formatNumber(numberIn(each, 'value'))}`).join(', ')],
    ['failed', failed ?? ''],
  ]
  return rows.filter(([, text]) => text !== '').map(([name, text]) => [`  ${name}`, text])
}

const mostFrozen = 4

function frozenText(paths: readonly JsonValue[]): string {
  const more = paths.length - mostFrozen
  return `${paths.slice(0, mostFrozen).join(', ')}${more > 0 ? ` and ${more} more` : ''}`
}

function sizeOf(path: string): string {
  try {
    const files = readdirSync(path).map(name => statSync(join(path, name)).size)
    return `${formatCount(files.reduce((sum, size) => sum + size, 0))} bytes in ${files.length} files`
  } catch {
    return 'half done'
  }
}

/** `epoch 3, batch 5: 23 batches, 138 examples, 1 skipped, 2.12s`. People count from 1. */
function placeText(state: JsonValue): string {
  const [position, clocks] = [memberOf(state, 'position'), memberOf(state, 'clocks')]
  const [epoch, batch, stage] = [
    numberIn(position, 'epoch'),
    numberIn(position, 'batch'),
    textIn(position, 'stage'),
  ]
  const evaluating = memberOf(position, 'evaluation') !== null
  const within = numberIn(position, 'pass') > 0 || batch > 0
  const place =
    stage === 'ended'
      ? 'the end'
      : `${evaluating ? 'a validation in ' : ''}epoch ${epoch + 1}${within && batch > 0 ? `, before batch ${batch + 1}` : ''}`
  const skipped = numberIn(clocks, 'skipped')
  const counts = [
    `${formatCount(numberIn(clocks, 'batches'))} batches`,
    `${formatCount(numberIn(clocks, 'examples'))} examples`,
    ...(skipped > 0 ? [`${formatCount(skipped)} skipped`] : []),
    formatDuration(numberIn(clocks, 'seconds')),
  ]
  return `${place}, after ${counts.join(', ')}`
}

function memberText(value: JsonValue | undefined): string {
  return membersOf(value)
    .map(([name, member]) => `${name} ${typeof member === 'number' ? formatNumber(member) : String(member)}`)
    .join(', ')
}

function logRows(state: JsonValue): readonly (readonly string[])[] {
  return listIn(memberOf(state, 'log'), 'newest').map(each => [
    `  ${textIn(each, 'name')}`,
    formatNumber(numberIn(each, 'value')),
  ])
}

function section(title: string, rows: readonly (readonly string[])[]): readonly string[] {
  return rows.length === 0 ? [] : ['', title, ...columns(rows, 1)]
}

interface Told {
  readonly weights: readonly TensorFacts[]
  /** By what they are for: `slots of adam: m`. */
  readonly others: readonly (readonly [what: string, tensors: number, elements: number])[]
}

function tensorsOf({ tensors }: Snapshot): Told {
  const named = [...tensors]
  const weights = named.flatMap(([name, tensor]) =>
    name.startsWith('weights/') ? [factsOf(name.slice(8), tensor)] : [],
  )
  const others = new Map<string, [number, number]>()
  for (const [name, { data }] of named) {
    const what = purposeOf(name)
    if (what === undefined) continue
    const [count, elements] = others.get(what) ?? [0, 0]
    others.set(what, [count + 1, elements + data.length])
  }
  return { weights, others: [...others].map(([what, counts]) => [what, ...counts] as const) }
}

function purposeOf(name: string): string | undefined {
  const [kind = '', owner = '', part = ''] = name.split('/')
  if (kind === 'slots') return `slots of ${owner}: ${part}`
  if (kind === 'windows') return `open windows of ${owner}`
  if (kind === 'metrics') return 'metrics under way'
  return kind === 'values' ? 'constrained values' : undefined
}

function otherRows(others: Told['others']): readonly (readonly string[])[] {
  return [
    ['beside them', 'tensors', 'elements'],
    ...others.map(([what, ...counts]) => [`  ${what}`, ...counts.map(formatCount)]),
  ]
}
