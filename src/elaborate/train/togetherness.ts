import type { Func, Step, ValueType } from '../../ir/ir.ts'
import { alongRows, reductions } from './rows.ts'

/**
 * How a value depends on the examples of a batch: not at all, each place on one of them, on a sum over them and on nothing else of
 * several, or on several in another way. Of the last, batches of one update can't be put together.
 */
type Dependence = 'none' | 'each' | 'sum' | 'together'

/** Operators that add up: what they give for two batches in a row is what they give for each. */
const linear: ReadonlySet<string> = new Set(
  'add sub neg reshape broadcast_to slice transpose cast concat stack'.split(' '),
)

/** Whether the value of a loss takes examples of a batch together in a way that a sum over several batches does not. */
export function takesTogether(
  makers: ReadonlyMap<string, Step>,
  loss: string,
  batches: ReadonlySet<string>,
  functions: readonly Func[],
): boolean {
  const known = new Map<string, Dependence>()
  const place: Place = { batches, functions, seen: new Map() }
  for (const step of new Set(makers.values())) follow(place, step, known)
  return known.get(loss) === 'together'
}

interface Place {
  /** The sizes of batches. */
  readonly batches: ReadonlySet<string>
  readonly functions: readonly Func[]
  /** What functions give, by their names and what they are called with. */
  readonly seen: Map<string, readonly Dependence[]>
}

function follow(place: Place, step: Step, known: Map<string, Dependence>): void {
  const inputs = step.inputs.map(input => known.get(input) ?? 'each')
  const called = step.op === 'call' ? calledWith(place, step, inputs) : undefined
  step.outputs.forEach((output, i) => {
    known.set(output.name, called?.[i] ?? dependence(place, step, inputs, output.type))
  })
}

/** What a function gives; one of a module with batches in its result is seen from outside alone, for it may keep statistics of them. */
function calledWith(
  place: Place,
  step: Step,
  inputs: readonly Dependence[],
): readonly Dependence[] | undefined {
  const func = place.functions.find(({ name }) => name === step.attrs.func)
  const isModule = func?.role === 'forward' || func?.role === 'method'
  if (!func || (isModule && step.outputs.some(({ type }) => hasBatch(place, type)))) return undefined
  const key = `${func.name} ${inputs.join(' ')}`
  const found = place.seen.get(key) ?? resultsOf(place, func, inputs)
  place.seen.set(key, found)
  return found
}

function resultsOf(place: Place, func: Func, inputs: readonly Dependence[]): readonly Dependence[] {
  const known = new Map(func.params.map(({ name }, i): [string, Dependence] => [name, inputs[i] ?? 'none']))
  for (const inner of func.steps) follow(place, inner, known)
  return func.results.map(result => known.get(result) ?? 'none')
}

function dependence(place: Place, step: Step, inputs: readonly Dependence[], type: ValueType): Dependence {
  const { op } = step
  if (type === 'key') return 'none'
  if (inputs.includes('together')) return 'together'
  if (inputs.includes('sum')) return staysSum(op, inputs) ? 'sum' : 'together'
  if (!inputs.includes('each')) return inputs.length === 0 && hasBatch(place, type) ? 'each' : 'none'
  const drops = !hasBatch(place, type)
  if (op === 'sum' || op === 'mean') return drops || alongRows(step) ? 'sum' : 'each'
  if (reductions.includes(op)) return drops || alongRows(step) ? 'together' : 'each'
  const pairs = op === 'matmul' && (drops || axesOfBatches(place, type) > 1)
  return pairs && !inputs.includes('none') ? 'together' : 'each'
}

/** Whether what is computed of sums over a batch adds up as they do. */
function staysSum(op: string, inputs: readonly Dependence[]): boolean {
  if (linear.has(op) || op === 'sum' || op === 'mean') return true
  const others = inputs.filter(each => each !== 'none').length
  return op === 'mul' ? others === 1 : op === 'div' && others === 1 && inputs[0] === 'sum'
}

const hasBatch = ({ batches }: Place, type: ValueType): boolean =>
  type !== 'key' && typeof type.shape[0] === 'string' && batches.has(type.shape[0])

const axesOfBatches = ({ batches }: Place, type: ValueType): number =>
  type === 'key' ? 0 : type.shape.filter(size => typeof size === 'string' && batches.has(size)).length
