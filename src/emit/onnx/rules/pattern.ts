import { type Facts, numberOf } from '../facts.ts'

/** Values by the names that a pattern gives them. */
export type Found = Readonly<Record<string, string>>

/** The ways in which a value is what a pattern says, given what is found already. */
export type Pattern = (value: string, facts: Facts, found: Found) => readonly Found[]

const commutative = new Set(['add', 'mul'])

/** A value of an operator, whose inputs are in turn what patterns say; the inputs of a sum or product in either order. */
export function of(op: string, ...inputs: readonly Pattern[]): Pattern {
  return (value, facts, found) => {
    const step = facts.step(value)
    if (step?.op !== op || step.inputs.length !== inputs.length) return []
    const orders = commutative.has(op) ? [step.inputs, [...step.inputs].reverse()] : [step.inputs]
    return orders.flatMap(order =>
      inputs.reduce<readonly Found[]>(
        (ways, pattern, i) => ways.flatMap(way => pattern(order[i]!, facts, way)),
        [found],
      ),
    )
  }
}

/** Any value: the same one wherever the name occurs. */
export function value(name: string): Pattern {
  return (value, _, found) => {
    const known = found[name]
    if (known !== undefined) return known === value ? [found] : []
    return [{ ...found, [name]: value }]
  }
}

/** What a pattern says, under a name. */
export function named(name: string, pattern: Pattern): Pattern {
  return (given, facts, found) => value(name)(given, facts, found).flatMap(way => pattern(given, facts, way))
}

/** A constant, as near as 32 bits tell numbers apart. */
export function number(wanted: number): Pattern {
  return (value, facts, found) => {
    const constant = numberOf(facts, value)
    return constant !== undefined && Math.fround(constant) === Math.fround(wanted) ? [found] : []
  }
}

/** The first way in which a value is what a pattern says. */
export function find(pattern: Pattern, value: string, facts: Facts): Found | undefined {
  return pattern(value, facts, {})[0]
}
