import { f32 } from '../../base/wasm/instructions.ts'
import { single } from '../../base/wasm/lanes.ts'
import type { Func, HostExpr, Step } from '../../ir/ir.ts'
import { type Shape, sameShape, type TensorType } from '../../types/tensor.ts'
import { isHostExpr } from '../tfjs/uses.ts'
import { applied, constantOperand, type Operand } from './elementwise.ts'

/** The steps of an update in their order: what they give is the same for all elements, or differs from one to the next. */
export interface Plan {
  readonly uniform: readonly Step[]
  readonly perElement: readonly Step[]
  /** What the host computes. */
  readonly scalars: readonly HostExpr[]
  /** Which of them a `host` step gives. */
  readonly scalarOf: ReadonlyMap<Step, number>
}

interface Known {
  readonly value: Operand<'f32', 'i32'>
  readonly uniform: boolean
}

/** Undefined where a step is not elementwise, or gives another number of elements than the parameter has. */
export function planOf(func: Func): Plan | undefined {
  const shape = shapeOf(func)
  if (shape === undefined) return undefined
  const uniform: Step[] = []
  const perElement: Step[] = []
  const scalars: Scalars = { exprs: [], byText: new Map(), ofStep: new Map() }
  const known = new Map<string, Known>(
    func.params.map(({ name }) => [name, { value: someNumber, uniform: false }]),
  )
  for (const step of func.steps) {
    const [output, second] = step.outputs
    const made = step.op === 'host' ? scalarAt(step, scalars) : madeBy(step, known)
    if (made === undefined || output === undefined || second !== undefined) return undefined
    if (!made.uniform && !hasShape(output.type, shape)) return undefined
    known.set(output.name, made)
    if (made.uniform) uniform.push(step)
    else perElement.push(step)
  }
  if (!func.results.every(name => known.get(name)?.value.kind === 'number')) return undefined
  return { uniform, perElement, scalars: scalars.exprs, scalarOf: scalars.ofStep }
}

/** Stands for any number: here it only matters whether an operator takes it. */
const someNumber: Operand<'f32', 'i32'> = { kind: 'number', expr: f32.const(0) }

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

function madeBy(step: Step, known: ReadonlyMap<string, Known>): Known | undefined {
  const constant = constantOperand(step)
  if (constant !== undefined) return { value: constant, uniform: true }
  const inputs = step.inputs.flatMap(name => known.get(name) ?? [])
  const value =
    inputs.length === step.inputs.length
      ? applied(
          single,
          step,
          inputs.map(input => input.value),
        )
      : undefined
  return value && { value, uniform: inputs.every(input => input.uniform) }
}

interface Scalars {
  readonly exprs: HostExpr[]
  readonly byText: Map<string, number>
  readonly ofStep: Map<Step, number>
}

/** Equal expressions of the host arrive once. */
function scalarAt(step: Step, { exprs, byText, ofStep }: Scalars): Known | undefined {
  const { value } = step.attrs
  if (!isHostExpr(value) || !isOfArguments(value) || !isFloat(step.outputs[0]?.type)) return undefined
  const text = JSON.stringify(value)
  const place = byText.get(text) ?? exprs.push(value) - 1
  byText.set(text, place)
  ofStep.set(step, place)
  return { value: someNumber, uniform: true }
}

/** Whether the count of updates and the settings are all that an expression looks at. */
function isOfArguments(expr: HostExpr): boolean {
  if (expr.kind === 'apply') return expr.args.every(isOfArguments)
  if (expr.kind === 'choose') return [expr.condition, expr.then, expr.otherwise].every(isOfArguments)
  return expr.kind === 'argument' || expr.kind === 'number' || expr.kind === 'bool'
}
