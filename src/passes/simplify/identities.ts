import { constantOf, insteadOf, type Known, type Rule, resultType, rule } from './rule.ts'

/** `op(x, number) = x`, where x has the type of the result already. */
function right(name: string, op: string, number: number): Rule {
  return rule(name, [op], (step, known) =>
    Number(constantOf(step.inputs[1], known)) === number ? insteadOf(step, step.inputs[0], known) : undefined,
  )
}

/** `op(number, x) = x`. */
function left(name: string, op: string, number: number): Rule {
  return rule(name, [op], (step, known) =>
    Number(constantOf(step.inputs[0], known)) === number ? insteadOf(step, step.inputs[1], known) : undefined,
  )
}

function source(value: string | undefined, op: string, known: Known): string | undefined {
  const step = value === undefined ? undefined : known.steps.get(value)
  return step?.op === op ? step.inputs[0] : undefined
}

/** Operators that give one of their inputs. A sum with 0 may turn a -0 into a 0, which no program can tell by arithmetic alone. */
export const identityRules: readonly Rule[] = [
  right('x * 1 = x', 'mul', 1),
  left('1 * x = x', 'mul', 1),
  right('x / 1 = x', 'div', 1),
  right('x ^ 1 = x', 'pow', 1),
  right('x + 0 = x', 'add', 0),
  left('0 + x = x', 'add', 0),
  right('x - 0 = x', 'sub', 0),
  right('x and true = x', 'and', 1),
  left('true and x = x', 'and', 1),
  right('x or false = x', 'or', 0),
  left('false or x = x', 'or', 0),
  rule('where(true, a, b) = a', ['where'], (step, known) => {
    const condition = constantOf(step.inputs[0], known)
    const [chosen, type] = [step.inputs[Number(condition) === 0 ? 2 : 1], resultType(step)]
    if (condition === undefined || chosen === undefined || type === undefined) return undefined
    return (
      insteadOf(step, chosen, known) ?? { op: 'broadcast_to', inputs: [chosen], attrs: { shape: type.shape } }
    )
  }),
  rule('-(-x) = x', ['neg'], (step, known) => insteadOf(step, source(step.inputs[0], 'neg', known), known)),
  rule('not (not x) = x', ['not'], (step, known) =>
    insteadOf(step, source(step.inputs[0], 'not', known), known),
  ),
  rule('padded by nothing', ['pad'], (step, known) =>
    step.attrs.before === 0 && step.attrs.after === 0 ? insteadOf(step, step.inputs[0], known) : undefined,
  ),
  rule('a cast to its own dtype', ['cast'], (step, known) => insteadOf(step, step.inputs[0], known)),
]
