import type { FuncParam, Origin, Step, ValueType } from '../../ir/ir.ts'
import { findOp } from '../../ops/index.ts'
import type { Dim } from '../../types/dim.ts'

export const reductions: readonly string[] = [
  'sum',
  'mean',
  'reduce_max',
  'reduce_min',
  'prod',
  'any',
  'all',
  'argmax',
  'argmin',
  'cumsum',
  'logsumexp',
  'softmax',
  'log_softmax',
]

/**
 * The first step that takes the rows of a table together: a field is computed for any number of rows at once, so that its
 * value must not depend on which rows those are. A result without the leading axis of rows shows it, and so does an
 * operator along that axis.
 */
export function mixesExamples(
  steps: readonly Step[],
  rows: string,
  params: readonly FuncParam[],
): Origin | undefined {
  const [perRow, constant] = [new Set<string>(), new Set<string>()]
  for (const { name, type } of params)
    (type !== 'key' && type.shape[0] === rows ? perRow : constant).add(name)
  for (const step of steps) {
    const fromRows = step.inputs.some(input => perRow.has(input) || !constant.has(input))
    const isConstant = step.inputs.length > 0 && !fromRows
    for (const output of step.outputs) {
      const hasRows = output.type !== 'key' && output.type.shape[0] === rows
      if (step.inputs.length === 0 || isConstant) continue
      if (!hasRows && step.inputs.some(input => perRow.has(input))) return step.origin
      if (hasRows) perRow.add(output.name)
    }
    if (reductions.includes(step.op) && alongRows(step)) return step.origin
  }
  return undefined
}

/** Operators that put elements elsewhere, each by itself. */
const movers: readonly string[] = ['reshape', 'broadcast_to', 'call']

/**
 * Whether a step takes the places of a ragged field together. It is computed for several examples at once, padded, so
 * that a value must not depend on what stands beside it.
 */
export function mixesPlaces(
  params: readonly FuncParam[],
  steps: readonly Step[],
  size: Dim | undefined,
): boolean {
  const values = [...params, ...steps.flatMap(step => step.outputs)]
  const types = new Map(values.map(({ name, type }) => [name, type]))
  const isRagged = (type: ValueType | undefined): boolean =>
    type !== undefined && type !== 'key' && type.shape.some(dim => dim === size)
  return steps.some(step => {
    const touches = step.inputs.some(input => isRagged(types.get(input)))
    const gives = step.outputs.every(({ type }) => type !== 'key' && type.shape[1] === size)
    if (!touches || findOp(step.op)?.lift === 'elementwise') return false
    return !gives || !movers.includes(step.op)
  })
}

/** Whether an operator goes along the first axis. */
export function alongRows(step: Step): boolean {
  const { axis } = step.attrs
  const output = step.outputs[0]?.type
  const rank = output === undefined || output === 'key' ? 0 : output.shape.length
  const axes = Array.isArray(axis) ? axis : [axis]
  return axes.some(
    at => at === 0 || (typeof at === 'number' && at < 0 && rank + at === 0 && step.attrs.keep !== false),
  )
}
