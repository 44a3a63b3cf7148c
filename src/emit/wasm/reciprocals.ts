import { NameSupply } from '../../base/fresh.ts'
import type { Func, Step, Value } from '../../ir/ir.ts'

/**
 * The function with quotients by a single number as products with its reciprocal, which is computed once: a division takes as
 * long as five products. The last bit of a quotient may be another one.
 */
export function withReciprocals(func: Func): Func {
  const shapes = new Map(
    [...func.params, ...func.steps.flatMap(({ outputs }) => outputs)].map(({ name, type }) => [name, type]),
  )
  const isSingle = (name: string): boolean => {
    const type = shapes.get(name)
    return type !== undefined && type !== 'key' && type.dtype === 'f32' && type.shape.length === 0
  }
  const names = new NameSupply()
  for (const name of shapes.keys()) names.fresh(name)
  const known = new Map<string, string>()
  const steps = func.steps.flatMap((step): readonly Step[] => {
    const [a, b] = step.inputs
    if (step.op !== 'div' || a === undefined || b === undefined || isSingle(a) || !isSingle(b)) return [step]
    const reciprocal = known.get(b) ?? names.fresh('reciprocal')
    const made = known.has(b) ? [] : reciprocalOf(b, reciprocal, names.fresh('one'), step)
    known.set(b, reciprocal)
    return [...made, { ...step, op: 'mul', inputs: [a, reciprocal] }]
  })
  return { ...func, steps }
}

function reciprocalOf(divisor: string, name: string, one: string, { origin }: Step): readonly Step[] {
  const value = (wanted: string): Value => ({ name: wanted, type: { dtype: 'f32', shape: [] } })
  return [
    { op: 'const', inputs: [], attrs: { dtype: 'f32', value: 1 }, outputs: [value(one)], origin },
    { op: 'div', inputs: [one, divisor], attrs: {}, outputs: [value(name)], origin },
  ]
}
