import { bug } from '../../base/bug.ts'
import type { Func, Step, ValueType } from '../../ir/ir.ts'

/** What is known of the values of a function. */
export interface Facts {
  /** The step that gives a value; undefined for a parameter. */
  step(value: string): Step | undefined
  type(value: string): ValueType
  /** How many steps and results read a value. */
  uses(value: string): number
}

/** Looks at a function once. */
export function factsOf(func: Func): Facts {
  const steps = new Map(func.steps.flatMap(step => step.outputs.map(({ name }) => [name, step])))
  const values = [...func.params, ...func.steps.flatMap(step => step.outputs)]
  const types = new Map(values.map(({ name, type }) => [name, type]))
  const uses = new Map<string, number>()
  for (const name of [...func.steps.flatMap(step => step.inputs), ...func.results])
    uses.set(name, (uses.get(name) ?? 0) + 1)
  return {
    step: value => steps.get(value),
    type: value => types.get(value) ?? bug(`${func.name} has no value ${value}`),
    uses: value => uses.get(value) ?? 0,
  }
}
