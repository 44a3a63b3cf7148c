import type { Span } from '../../base/source.ts'
import type { Phase } from '../../ir/ir.ts'
import type { Expr, Return } from '../../syntax/ast.ts'
import { compareDims } from '../../types/dim.ts'
import { type Context, complain } from '../context.ts'
import { describe } from '../describe.ts'
import { expression } from '../evaluate.ts'
import { toTensor } from '../tensors.ts'
import type { ErrorValue, TensorValue } from '../values.ts'
import type { StepRegion } from './stepRegion.ts'
import type { Training } from './training.ts'
import type { Variable } from './variables.ts'

/** Where the statements of a step or a hook are elaborated. */
export interface StepContext {
  readonly training: Training
  readonly ctx: Context
  readonly region: StepRegion
  /** Undefined in hooks. */
  readonly phase: Phase | undefined
  /** Of a hook: what it is on. */
  readonly event?: string
  /** Prefix of logged names: `val`, `val.abroad`. */
  readonly prefix: string
  /** Names of this step's losses and logs, against two of one name. */
  readonly names: Map<string, Span>
  /** The `var`s of the step that lie in variables here, by their names. */
  readonly variables: ReadonlyMap<string, Variable>
  /** What the step sets of the host `var`s of its training, and of settings: what is copied of them must not change. */
  readonly changing: ReadonlySet<string>
  /** Of an optimizer's update: takes what it moves to. */
  readonly onReturn?: (step: StepContext, node: Return) => void
  /** The kind of loop around. */
  readonly loop?: 'host' | 'unrolled'
  /** Set once an update was made on the way here. */
  updated: boolean
}

/** A name that something is logged under; two of one name in a step are an error, unless a metric adds up. */
export function logName(step: StepContext, name: string, span: Span, adds: boolean): string {
  const before = step.names.get(name)
  if (before && !adds)
    complain(
      step.ctx,
      'LTM4106',
      span,
      { phase: step.prefix, name },
      { labels: [{ span: before, text: 'the other one' }] },
    )
  step.names.set(name, span)
  step.training.logged.add(`${step.prefix}.${name}`)
  return name
}

/** A weight of a mean: a bool or float tensor of the shape of what is averaged, or of its first axes. */
export function weightOf(
  step: StepContext,
  node: Expr,
  of: TensorValue | ErrorValue,
): TensorValue | undefined {
  const value = toTensor(step.ctx, expression(step.ctx, node), node.span)
  if (value.kind === 'error' || of.kind === 'error') return undefined
  if (value.type.dtype === 'i32') {
    complain(step.ctx, 'LTM2109', node.span, { wanted: 'a bool or f32 weight', got: describe(value) })
    return undefined
  }
  const fits =
    value.type.shape.length <= of.type.shape.length &&
    value.type.shape.every((size, i) => compareDims(size, of.type.shape[i]!) === 'equal')
  if (fits) return value
  complain(
    step.ctx,
    'LTM2103',
    node.span,
    { operator: 'over', problem: 'a weight has the shape of what it weighs, or of its first axes' },
    { note: `the weight is ${describe(value)}\nthe value is  ${describe(of)}` },
  )
  return undefined
}
