import type { Attr, Step } from '../../ir/ir.ts'
import { isAttrList } from '../values.ts'
import { insteadOf, type Known, type Rule, resultType, rule } from './rule.ts'

/** Rules of reshapes and permutations. */
export const layoutRules: readonly Rule[] = [
  rule('a change of shape to its own shape', ['reshape', 'broadcast_to', 'sum_to'], (step, known) =>
    insteadOf(step, step.inputs[0], known),
  ),
  rule('reshape(reshape(x)) = reshape(x)', ['reshape'], (step, known) => {
    const inner = stepOf(step.inputs[0], known)
    return inner?.op === 'reshape' ? { ...step, inputs: inner.inputs } : undefined
  }),
  rule('a transposition that keeps the order', ['transpose'], (step, known) => {
    const perm = orderOf(step)
    return perm && isIdentity(perm) ? insteadOf(step, step.inputs[0], known) : undefined
  }),
  rule('transpose(transpose(x)) = transpose(x)', ['transpose'], (step, known) => {
    const inner = stepOf(step.inputs[0], known)
    return inner?.op === 'transpose' ? composed(step, inner, known) : undefined
  }),
]

function composed(outer: Step, inner: Step, known: Known): ReturnType<Rule['rewrite']> {
  // Both swap the last two axes of a value of any rank.
  if (isEmpty(outer.attrs.perm) && isEmpty(inner.attrs.perm)) return insteadOf(outer, inner.inputs[0], known)
  const [second, first] = [orderOf(outer), orderOf(inner)]
  if (first === undefined || second === undefined) return undefined
  return { op: 'transpose', inputs: inner.inputs, attrs: { perm: second.map(i => first[i]!) } }
}

function stepOf(value: string | undefined, known: Known): Step | undefined {
  return value === undefined ? undefined : known.steps.get(value)
}

function isEmpty(perm: Attr | undefined): boolean {
  return perm === undefined || (isAttrList(perm) && perm.length === 0)
}

/** Where each axis comes from; undefined for a swap of the last two in a value of unknown rank. */
function orderOf(step: Step): readonly number[] | undefined {
  const { perm } = step.attrs
  if (perm !== undefined && isAttrList(perm) && perm.length > 0) return perm.map(Number)
  const shape = resultType(step)?.shape
  if (shape === undefined || shape.some(size => String(size).startsWith('...'))) return undefined
  const order = shape.map((_, i) => i)
  return [...order.slice(0, -2), ...order.slice(-2).reverse()]
}

function isIdentity(perm: readonly number[]): boolean {
  return perm.every((from, to) => from === to)
}
