import type { For } from '../syntax/ast.ts'
import { compareDims } from '../types/dim.ts'
import { isRest, showType, type TensorType } from '../types/tensor.ts'
import { type Context, complain } from './context.ts'
import { describe } from './describe.ts'
import { replaceTensors, tensorsOf } from './functionRegion.ts'
import { miscounted } from './iteration.ts'
import { loopEffects } from './loopEffects.ts'
import { type Carried, carriedFrom, endOfRound } from './scanCarried.ts'
import { elaborateBody } from './scanRound.ts'
import { emitScan, type Stacked } from './scanStep.ts'
import { stackIndex } from './sequence.ts'
import { errorValue, type SequenceValue, type Value } from './values.ts'

/**
 * `for xt in along(x, axis: 1) { set h = …  yield h }`: a loop over the slices of tensors (F3). Its body becomes a function
 * from the `var`s that it sets, as they were, and the slices to the `var`s as they are then and what it yields. The step
 * `scan` runs it round after round; a body that draws gets a key of its own for each round.
 */
export function scan(ctx: Context, node: For, columns: readonly Value[], wanted: 'value' | 'nothing'): Value {
  const sequences = sequencesOf(ctx, node, columns)
  const effects = loopEffects(node.body)
  for (const leave of effects.leaves)
    complain(ctx, 'LTM2148', leave.span, { what: leave.kind === 'Return' ? '`return`' : '`break`' })
  const carried = effects.sets.flatMap(name => carriedFrom(ctx, name, node) ?? [])
  const body = elaborateBody(ctx, node, sequences, carried)
  const given = wanted === 'value' ? body.yielded : undefined
  if (wanted === 'value' && body.yields === 0) complain(ctx, 'LTM2145', node.span, undefined)
  if (wanted === 'nothing' && body.firstYield) complain(ctx, 'LTM2149', body.firstYield, undefined)
  const ends = carried.map(each => endOfRound(ctx, each, body))
  if (!sequences || effects.leaves.length > 0 || (wanted === 'value' && given === undefined))
    return forget(ctx, carried)
  if (ends.some(end => end === undefined)) return forget(ctx, carried)
  const stacked = given && stackedValues(ctx, given, sequences[0]!, node)
  if (given && !stacked) return forget(ctx, carried)
  const outputs = emitScan(ctx, node, { sequences, carried, body, ends: ends.flatMap(end => end ?? []) }, [
    ...(stacked ?? []),
  ])
  for (const [i, { name }] of carried.entries()) ctx.env.assign(name, outputs.carried[i]!)
  return given ? replaceTensors(given, outputs.stacked) : { kind: 'record', fields: new Map() }
}

/** After an error nothing is known of what the loop sets. */
function forget(ctx: Context, carried: readonly Carried[]): Value {
  for (const { name } of carried) ctx.env.assign(name, errorValue)
  return errorValue
}

// ── What it goes along ──────────────────────────────────────────────────────────────────────────────────────────────

/** One sequence for each name, all equally long and in one direction; undefined where that is not so. */
function sequencesOf(
  ctx: Context,
  node: For,
  columns: readonly Value[],
): readonly SequenceValue[] | undefined {
  const found = columns.filter(column => column.kind === 'sequence')
  if (columns.some(column => column.kind === 'error')) return undefined
  if (columns.length !== node.names.length) {
    miscounted(ctx, node.iterable, columns.length, node.names.length)
    return undefined
  }
  const problem = problemOf(columns, found)
  if (problem !== undefined) {
    complain(ctx, 'LTM2142', node.iterable.span, { problem })
    return undefined
  }
  const [first] = found
  for (const other of found.slice(1)) {
    const answer = compareDims(first!.length, other.length)
    if (answer === 'equal' || (answer === 'unknown' && ctx.generic)) continue
    complain(ctx, 'LTM2141', node.iterable.span, {
      first: node.names[0]?.text ?? '',
      firstLength: String(first!.length),
      second: node.names[found.indexOf(other)]?.text ?? '',
      secondLength: String(other.length),
    })
    return undefined
  }
  return found
}

function problemOf(columns: readonly Value[], found: readonly SequenceValue[]): string | undefined {
  const other = columns.find(column => column.kind !== 'sequence')
  if (other) return `one of them is ${describe(other)}`
  return found.some(each => each.reverse !== found[0]!.reverse) ? 'one runs backwards' : undefined
}

/** The yields of all rounds put together along the axis of the first sequence. */
function stackedValues(
  ctx: Context,
  yielded: Value,
  first: SequenceValue,
  node: For,
): readonly Stacked[] | undefined {
  const found: Stacked[] = []
  for (const own of tensorsOf(yielded)) {
    const { shape, dtype } = own.type
    const at = stackIndex(shape, first.axis)
    if (at === undefined) {
      if (!shape.some(isRest))
        complain(ctx, 'LTM2147', node.span, { axis: first.axis, type: showType(own.type) })
      return undefined
    }
    const type: TensorType = { dtype, shape: [...shape.slice(0, at), first.length, ...shape.slice(at)] }
    found.push({ own, axis: shape.some(isRest) ? first.axis : at, type })
  }
  return found
}
