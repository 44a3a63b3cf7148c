import { bug } from '../base/bug.ts'
import type { Func, Origin, Step, Value, ValueType } from '../ir/ir.ts'
import { isSequence, roundsOf, type Scan, scanOf } from '../ir/scan.ts'
import { type Make, makeBuilder } from '../ops/builder.ts'
import type { Operand } from '../ops/op.ts'
import type { TensorType } from '../types/tensor.ts'
import { bindSizes, stepAt } from './calls.ts'
import { mapArguments, passedBy } from './inline.ts'
import { outputNames, type Renaming, renameInputs, renameOutputs } from './values.ts'

/** Where written-out loops go: the steps, the types of all values so far, and fresh names. */
export interface Unrolling {
  readonly functions: ReadonlyMap<string, Func>
  readonly types: Map<string, ValueType>
  readonly steps: Step[]
  fresh(name: string): string
}

/**
 * Appends steps with each loop over an axis written out, round after round. All sizes have to be numbers.
 *
 *     %all = scan cell(%h, %x)     →     %x0 = slice %x 0, 1   …   %h1 = mul %h, %x0   …   %all = concat %y0, %y1
 */
export function unroll(steps: readonly Step[], to: Unrolling): void {
  for (const step of steps) {
    if (step.op === 'scan') unrollScan(step, to)
    else append(to, step)
  }
}

function append({ steps, types }: Unrolling, step: Step): void {
  steps.push(step)
  for (const { name, type } of step.outputs) types.set(name, type)
}

function unrollScan(step: Step, to: Unrolling): void {
  const scan = scanOf(step) ?? bug('a scan without its attributes')
  const func = to.functions.get(String(step.attrs.func)) ?? bug('a scan without its body')
  const rounds = roundsOf(scan, to.types.get(step.inputs[scan.carried] ?? ''))
  if (typeof rounds !== 'number') return bug(`a loop of ${rounds} rounds cannot be written out`)
  const order = Array.from({ length: rounds }, (_, i) => (scan.reverse ? rounds - 1 - i : i))
  let carried: readonly string[] = step.inputs.slice(0, scan.carried)
  const yields = new Map<number, readonly string[]>()
  for (const round of order) {
    const results = writeRound(step, scan, func, carried, round, to)
    carried = results.slice(0, scan.carried)
    yields.set(round, results.slice(scan.carried))
  }
  step.outputs.forEach((output, i) => {
    if (i < scan.carried) rename(to, output, carried[i] ?? bug('nothing is carried'), step.origin)
    else
      stack(
        to,
        output,
        scan.stack[i - scan.carried] ?? 0,
        yieldsOf(yields, rounds, i - scan.carried),
        step.origin,
      )
  })
}

function yieldsOf(yields: ReadonlyMap<number, readonly string[]>, rounds: number, which: number) {
  return Array.from(
    { length: rounds },
    (_, round) => yields.get(round)?.[which] ?? bug('a round without its yield'),
  )
}

/** The body of a loop for one slice of each sequence; gives the names of its results. */
function writeRound(
  step: Step,
  scan: Scan,
  func: Func,
  carried: readonly string[],
  round: number,
  to: Unrolling,
): readonly string[] {
  const inputs = step.inputs.map((input, i) => {
    if (i < scan.carried) return carried[i]!
    if (isSequence(scan, i)) return sliceOf(to, input, scan.along[i - scan.carried]!, round, step.origin)
    return to.types.get(input) === 'key' ? keyOf(to, input, round, step.origin) : input
  })
  const types = inputs.map(name => to.types.get(name) ?? bug(`%${name} has no type`))
  const sizes = bindSizes(func, types)
  if ('clash' in sizes) return bug(sizes.clash)
  const names = new Map(func.params.map((param, i) => [param.name, inputs[i]!]))
  for (const name of func.steps.flatMap(outputNames)) names.set(name, to.fresh(name))
  const passed = passedBy(func, step)
  unroll(
    func.steps.map(each => mapArguments(renamed(stepAt(each, sizes), names), passed)),
    to,
  )
  return func.results.map(result => names.get(result) ?? bug(`%${result} is not given`))
}

const renamed = (step: Step, names: Renaming): Step => renameOutputs(renameInputs(step, names), names)

/** One slice without its axis. */
function sliceOf(to: Unrolling, input: string, axis: number, round: number, origin: Origin): string {
  const x = operandOf(to, input)
  const at = axis < 0 ? x.type.shape.length + axis : axis
  return built(to, origin, make => {
    const slice = make.slice([x], { axis: at, from: round, to: round + 1 })
    return make.reshape([slice], { shape: x.type.shape.filter((_, i) => i !== at) })
  })
}

function keyOf(to: Unrolling, input: string, round: number, origin: Origin): string {
  const name = to.fresh('key_at')
  append(to, {
    op: 'key_at',
    inputs: [input],
    attrs: { place: round },
    outputs: [{ name, type: 'key' }],
    origin,
  })
  return name
}

/** What all rounds have yielded, side by side on an axis of its own. */
function stack(to: Unrolling, output: Value, axis: number, yields: readonly string[], origin: Origin): void {
  const type = output.type === 'key' ? bug('a loop yields no keys') : output.type
  if (yields.length === 0) {
    const value = type.dtype === 'bool' ? false : 0
    const empty = built(to, origin, make => make.full([], { shape: type.shape, value, dtype: type.dtype }))
    return rename(to, output, empty, origin)
  }
  const at = axis < 0 ? type.shape.length + axis : axis
  const stacked = built(to, origin, make => {
    const rows = yields.map(name => {
      const row = operandOf(to, name)
      const { shape } = row.type
      return make.reshape([row], { shape: [...shape.slice(0, at), 1, ...shape.slice(at)] })
    })
    return make.concat(rows, { axis: at })
  })
  rename(to, output, stacked, origin)
}

/** Another name for a value, which simplification puts in its place. */
function rename(to: Unrolling, output: Value, value: string, origin: Origin): void {
  const { type } = operandOf(to, value)
  append(to, {
    op: 'reshape',
    inputs: [value],
    attrs: { shape: type.shape },
    outputs: [{ ...output, type }],
    origin,
  })
}

/** Appends what is built; gives the name of its result. */
function built(to: Unrolling, origin: Origin, build: (make: Make) => Operand): string {
  const steps: Step[] = []
  const { name } = build(makeBuilder({ steps, fresh: wanted => to.fresh(wanted), origin: () => origin }))
  for (const step of steps) append(to, step)
  return name
}

function operandOf({ types }: Unrolling, name: string): Operand & { readonly type: TensorType } {
  const type = types.get(name)
  return type === undefined || type === 'key' ? bug(`%${name} is no tensor`) : { name, type }
}
