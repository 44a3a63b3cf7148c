import type { JsonValue, Snapshot, StoredTensor } from '../runtime/contracts.ts'
import { formatNumber } from '../runtime/report/format.ts'
import { textIn } from '../runtime/stored.ts'
import { columns, typeText } from './tensorTable.ts'

/** What two checkpoints differ in. */
export interface CheckpointDiff {
  /** Tensors that both have, of other values or another type. */
  readonly tensors: readonly TensorDiff[]
  readonly onlyFirst: readonly string[]
  readonly onlySecond: readonly string[]
  /** Places in the state, such as `clocks.batches`, with what stands there; undefined where there is nothing. */
  readonly state: readonly {
    readonly place: string
    readonly first?: JsonValue
    readonly second?: JsonValue
  }[]
  /** Tensors that are the same, bit for bit. */
  readonly same: number
}

interface TensorDiff {
  readonly name: string
  readonly first: string
  readonly second: string
  /** Elements that differ, the largest difference, and the 2-norm of all relative to that of the first. */
  readonly differing?: number
  readonly largest?: number
  readonly relative?: number
}

export function diffCheckpoints(first: Snapshot, second: Snapshot): CheckpointDiff {
  const pairs = [...first.tensors].flatMap(([name, tensor]) => {
    const other = second.tensors.get(name)
    return other === undefined ? [] : [{ name, tensor, other }]
  })
  const tensors = pairs.flatMap(({ name, tensor, other }) => tensorDiff(name, tensor, other))
  return {
    tensors,
    onlyFirst: [...first.tensors.keys()].filter(name => !second.tensors.has(name)),
    onlySecond: [...second.tensors.keys()].filter(name => !first.tensors.has(name)),
    state: [...stateDiffs('', first.state, second.state)],
    same: pairs.length - tensors.length,
  }
}

export function isSame({ tensors, onlyFirst, onlySecond, state }: CheckpointDiff): boolean {
  return tensors.length + onlyFirst.length + onlySecond.length + state.length === 0
}

function tensorDiff(name: string, first: StoredTensor, second: StoredTensor): readonly TensorDiff[] {
  const types = { first: typeText(first), second: typeText(second) }
  if (types.first !== types.second) return [{ name, ...types }]
  let [differing, largest, square, total] = [0, 0, 0, 0]
  for (const [i, value] of first.data.entries()) {
    const other = second.data[i] ?? Number.NaN
    total += value ** 2
    if (Object.is(value, other)) continue
    differing += 1
    const distance = Math.abs(value - other)
    largest = Number.isNaN(distance) ? Number.NaN : Math.max(largest, distance)
    square += distance ** 2
  }
  if (differing === 0) return []
  return [{ name, ...types, differing, largest, relative: Math.sqrt(square / total) }]
}

function* stateDiffs(
  place: string,
  first: JsonValue | undefined,
  second: JsonValue | undefined,
): Generator<CheckpointDiff['state'][number]> {
  if (JSON.stringify(first) === JSON.stringify(second)) return
  if (isBranch(first) && isBranch(second)) {
    const [one, other] = [membersBy(first), membersBy(second)]
    for (const name of new Set([...one.keys(), ...other.keys()]))
      yield* stateDiffs(place === '' ? name : `${place}.${name}`, one.get(name), other.get(name))
  } else yield { place, ...(first !== undefined && { first }), ...(second !== undefined && { second }) }
}

type Branch = { readonly [member: string]: JsonValue }

function isBranch(value: JsonValue | undefined): value is Branch | readonly JsonValue[] {
  return typeof value === 'object' && value !== null
}

/** Items of a list that have names go by them: what was logged, and what is kept. */
function membersBy(branch: Branch | readonly JsonValue[]): ReadonlyMap<string, JsonValue> {
  const nameOf = (item: JsonValue): string | undefined => textIn(item, 'name')
  return new Map(
    Object.entries(branch).map(([key, item]) => [isList(branch) ? (nameOf(item) ?? key) : key, item]),
  )
}

function isList(branch: Branch | readonly JsonValue[]): branch is readonly JsonValue[] {
  return Array.isArray(branch)
}

// ── For people ──────────────────────────────────────────────────────────────────────────────────────────────────────

export function diffText(diff: CheckpointDiff): string {
  if (isSame(diff)) return `all ${diff.same} tensors and the state are the same, bit for bit\n`
  const heads = ['tensor', 'type', 'elements', 'at most', 'relative']
  const lines = [
    ...(diff.tensors.length > 0 ? columns([heads, ...diff.tensors.map(tensorRow)], 2) : []),
    ...diff.onlyFirst.map(name => `only in the first: ${name}`),
    ...diff.onlySecond.map(name => `only in the second: ${name}`),
    `${diff.same} tensors are the same, bit for bit`,
    ...stateLines(diff.state),
  ]
  return `${lines.join('\n')}\n`
}

const mostPlaces = 40

function stateLines(state: CheckpointDiff['state']): readonly string[] {
  if (state.length === 0) return []
  const rows = state.slice(0, mostPlaces).map(stateRow)
  const more = state.length - rows.length
  const rest = more > 0 ? [`  and ${more} more; \`--json\` has them all`] : []
  return ['', ...columns([['state', 'first', 'second'], ...rows], 3), ...rest]
}

function tensorRow({ name, first, second, differing, largest, relative }: TensorDiff): readonly string[] {
  if (differing === undefined) return [`  ${name}`, `${first} and ${second}`]
  return [`  ${name}`, first, `${differing}`, formatNumber(largest ?? 0), formatNumber(relative ?? 0)]
}

function stateRow({ place, first, second }: CheckpointDiff['state'][number]): readonly string[] {
  return [`  ${place}`, short(first), short(second)]
}

/** The whole is in the JSON form. */
function short(value: JsonValue | undefined): string {
  const text =
    value === undefined ? '–' : typeof value === 'number' ? formatNumber(value) : JSON.stringify(value)
  return text.length > 40 ? `${text.slice(0, 39)}…` : text
}
