import type { Step, ValueType } from '../../ir/ir.ts'
import { sameType, type TensorType } from '../../types/tensor.ts'

/** What is known of the values before a step. */
export interface Known {
  /** The step that gives a value; values that are given to the function have none. */
  readonly steps: ReadonlyMap<string, Step>
  readonly types: ReadonlyMap<string, ValueType>
}

/** Another way to compute the same: the name of a value that is the same, or what the step does instead. */
export type Simpler = string | Pick<Step, 'op' | 'inputs' | 'attrs'>

/** One rewriting of a step of one result. */
export interface Rule {
  /** As mathematics writes it: `x * 1 = x`. */
  readonly name: string
  rewrite(step: Step, known: Known): Simpler | undefined
}

/** A rule for some operators. */
export function rule(name: string, ops: readonly string[], rewrite: Rule['rewrite']): Rule {
  return { name, rewrite: (step, known) => (ops.includes(step.op) ? rewrite(step, known) : undefined) }
}

/** A value in the place of a step, where it has the step's very type. */
export function insteadOf(step: Step, value: string | undefined, known: Known): string | undefined {
  if (value === undefined) return undefined
  const [before, after] = [step.outputs[0]?.type, known.types.get(value)]
  if (before === undefined || after === undefined || before === 'key' || after === 'key') return undefined
  return sameType(before, after) ? value : undefined
}

/** The type of a step's result; undefined for a key. */
export function resultType(step: Step): TensorType | undefined {
  const type = step.outputs[0]?.type
  return type === 'key' ? undefined : type
}

/** The number that all elements of a value have, where it is a constant. */
export function constantOf(value: string | undefined, known: Known): number | boolean | undefined {
  const step = value === undefined ? undefined : known.steps.get(value)
  if (step?.op !== 'const' && step?.op !== 'full') return undefined
  const content = step.attrs.value
  return typeof content === 'number' || typeof content === 'boolean' ? content : undefined
}
