import { bug } from '../../base/bug.ts'
import { f32 } from '../../base/wasm/instructions.ts'
import { single } from '../../base/wasm/lanes.ts'
import { hostNumberOf, hostNumbers } from '../../ir/hostNumbers.ts'
import type { Func, HostExpr, Step } from '../../ir/ir.ts'
import { type Shape, sameShape, type TensorType } from '../../types/tensor.ts'
import { applied, constantOperand, type Operand } from './elementwise.ts'

/**
 * An update in passes over the tensors. Each but the last ends with reductions, which the next one reads; the last gives the
 * results.
 */
export interface Plan {
  readonly passes: readonly Pass[]
  /** What the host computes. */
  readonly scalars: readonly HostExpr[]
  /** Which of them a `host` step gives. */
  readonly scalarOf: ReadonlyMap<Step, number>
}

/** The steps of a pass in their order. */
export interface Pass {
  /** Taken once, before: what they give is the same for all elements. */
  readonly uniform: readonly Step[]
  /** Taken at each element, again where an earlier pass has taken them: nothing keeps what they give. */
  readonly perElement: readonly Step[]
  /** Taken over all elements. */
  readonly reductions: readonly Step[]
}

interface Known {
  readonly value: Operand<'f32', 'i32'>
  /** Whether it is the same for all elements. */
  readonly uniform: boolean
  /** The first pass that can read it. */
  readonly pass: number
}

/** Undefined where a step is neither elementwise nor a sum of all, or gives another number of elements than the parameter has. */
export function planOf(func: Func): Plan | undefined {
  const shape = shapeOf(func)
  if (shape === undefined) return undefined
  const scalars = hostNumbers(func)
  if (scalars === undefined) return undefined
  const scalarOf = placesOf(func, scalars)
  const known = new Map<string, Known>(
    func.params.map(({ name }) => [name, { ...someNumber, uniform: false }]),
  )
  for (const step of func.steps) {
    const [output, second] = step.outputs
    const made = madeBy(step, known, shape)
    if (made === undefined || output === undefined || second !== undefined) return undefined
    if (!made.uniform && !hasShape(output.type, shape)) return undefined
    known.set(output.name, made)
  }
  if (!func.results.every(name => known.get(name)?.value.kind === 'number')) return undefined
  return { passes: passesOf(func, known), scalars, scalarOf }
}

function passesOf({ steps, results }: Func, known: ReadonlyMap<string, Known>): readonly Pass[] {
  const of = (step: Step) => known.get(step.outputs[0]?.name ?? '') ?? bug(`nothing is known of ${step.op}`)
  const reductions = steps.filter(isReduction)
  const uniform = steps.filter(step => of(step).uniform && !isReduction(step))
  const perElement = steps.filter(step => !of(step).uniform)
  const last = Math.max(...results.map(name => known.get(name)?.pass ?? 0))
  return Array.from({ length: last + 1 }, (_, pass) => {
    const own = pass === last ? [] : reductions.filter(step => of(step).pass === pass + 1)
    const wanted = pass === last ? results : own.flatMap(({ inputs }) => inputs)
    return {
      uniform: uniform.filter(step => of(step).pass === pass),
      perElement: leadingTo(wanted, perElement),
      reductions: own,
    }
  })
}

/** Those of the steps that lead to some values. */
function leadingTo(values: readonly string[], steps: readonly Step[]): readonly Step[] {
  const wanted = new Set(values)
  const found = steps.toReversed().filter(({ inputs, outputs }) => {
    const leads = outputs.some(({ name }) => wanted.has(name))
    if (leads) for (const input of inputs) wanted.add(input)
    return leads
  })
  return found.toReversed()
}

/** Any number: here it only matters whether an operator takes it. */
const someNumber: Pick<Known, 'value' | 'pass'> = { value: { kind: 'number', expr: f32.const(0) }, pass: 0 }

/** The shape that all inputs have: the slots, the parameter and the gradient. */
function shapeOf({ params, results }: Func): Shape | undefined {
  const type = params[0]?.type
  if (params.length < 2 || results.length !== params.length - 1) return undefined
  if (type === undefined || type === 'key') return undefined
  const same = params.every(param => hasShape(param.type, type.shape) && isFloat(param.type))
  return same ? type.shape : undefined
}

function hasShape(type: TensorType | 'key', shape: Shape): boolean {
  return type !== 'key' && sameShape(type.shape, shape)
}

function isFloat(type: TensorType | 'key' | undefined): boolean {
  return type !== 'key' && type?.dtype === 'f32'
}

function madeBy(step: Step, known: ReadonlyMap<string, Known>, shape: Shape): Known | undefined {
  if (step.op === 'host') return { ...someNumber, uniform: true }
  if (isSize(step)) return sameShape(step.attrs.shape, shape) ? { ...someNumber, uniform: true } : undefined
  const constant = constantOperand(step)
  if (constant !== undefined) return { value: constant, uniform: true, pass: 0 }
  const inputs = step.inputs.flatMap(name => known.get(name) ?? [])
  if (inputs.length < step.inputs.length) return undefined
  const pass = Math.max(0, ...inputs.map(input => input.pass))
  if (isReduction(step)) {
    const fits = ofAll(step) && inputs.every(({ uniform, value }) => !uniform && value.kind === 'number')
    return fits ? { ...someNumber, uniform: true, pass: pass + 1 } : undefined
  }
  const value = applied(
    single,
    step,
    inputs.map(input => input.value),
  )
  return value && { value, uniform: inputs.every(input => input.uniform), pass }
}

/** Whether a step sums up or averages. */
export function isReduction({ op }: Step): boolean {
  return op === 'sum' || op === 'mean'
}

function ofAll({ attrs: { axis, keep } }: Step): boolean {
  return Array.isArray(axis) && axis.length === 0 && keep === false
}

/** Whether a step tells how many elements there are. */
export function isSize(step: Step): step is Step & { readonly attrs: { readonly shape: Shape } } {
  return step.op === 'size'
}

/** Equal expressions of the host arrive once. */
function placesOf({ steps }: Func, scalars: readonly HostExpr[]): ReadonlyMap<Step, number> {
  const places = new Map(scalars.map((expr, i) => [JSON.stringify(expr), i]))
  return new Map(
    steps.flatMap(step => {
      const place = step.op === 'host' ? places.get(JSON.stringify(hostNumberOf(step))) : undefined
      return place === undefined ? [] : [[step, place] as const]
    }),
  )
}
