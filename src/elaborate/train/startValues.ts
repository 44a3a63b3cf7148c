import { textOf } from '../../base/source.ts'
import { type Constant, constantOf, evaluateConstant, placeOf } from '../../ir/constants.ts'
import type { Step } from '../../ir/ir.ts'
import { constraintFunction } from '../constraints.ts'
import { type Context, complain } from '../context.ts'
import { isRawStart, type StateSpec, type TensorValue } from '../values.ts'

/**
 * A constant start value outside of its constraint is an error of the program: the constraint's `check` decides. Gives whether all is known
 * now: a bijective constraint gives back what it holds for, of others that shows when they start.
 */
export function checkStart(
  ctx: Context,
  { declaration, constraint, type }: StateSpec,
  path: string,
  steps: readonly Step[],
  value: TensorValue,
): boolean {
  const node = declaration.value
  if (!constraint || !node || isRawStart(declaration)) return true
  const step = steps.find(({ outputs }) => outputs[0]?.name === value.name)
  const start = step?.op === 'const' || step?.op === 'full' ? constantOf(step) : undefined
  const check = constraintFunction(ctx, constraint, 'check', type, type, undefined)
  if (!check) return true
  const holds = start && evaluateConstant(check.func, [start], ctx.world.functions.list)
  if (!holds) return false
  if (holds.values.every(Boolean)) return constraint.declaration.bijective
  const alike = start.values.every(each => each === start.values[0])
  const written = textOf(node.span)
  const shown = alike && node.kind === 'Name' ? `\`${written}\` = ${start.values[0]}` : written
  const details = { name: path, value: shown, constraint: constraint.text }
  complain(ctx, 'LTM4002', node.span, details, alike ? {} : { note: firstWrong(start, holds) })
  return true
}

/** Which element is wrong, or which row where all of a row are judged as one. */
function firstWrong(start: Constant, holds: Constant): string | undefined {
  const wrong = placeOf(holds.values.indexOf(0), holds.shape)
  const width = holds.shape.at(-1) ?? 1
  const from = Math.floor(holds.values.indexOf(0) / width) * width
  const whole = holds.values.slice(from, from + width).every(each => each === 0)
  const one =
    holds.shape.length === start.shape.length && holds.shape.every((size, i) => size === start.shape[i])
  if (one && !whole) return `element [${wrong.join(', ')}] is ${start.values[holds.values.indexOf(0)]}`
  const row = wrong.slice(0, start.shape.length - 1)
  return row.length === 0 || holds.values.every(each => each === 0) ? undefined : `in row [${row.join(', ')}]`
}
