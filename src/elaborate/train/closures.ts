import { NameSupply } from '../../base/fresh.ts'
import type { Closure, OptimizerSlot } from '../../ir/ir.ts'
import type { Method, Optimizer, Return, Slot, Statement } from '../../syntax/ast.ts'
import { visit } from '../../syntax/walk.ts'
import type { Dim } from '../../types/dim.ts'
import { sameType, type TensorType } from '../../types/tensor.ts'
import { type Context, complain, originOf } from '../context.ts'
import { describe } from '../describe.ts'
import type { Env } from '../env.ts'
import { expression } from '../evaluate.ts'
import { statementWord } from '../statements.ts'
import { applyOperator, toTensor } from '../tensors.ts'
import { declaredType } from '../types.ts'
import { errorValue, int, knownNumber, type Value } from '../values.ts'
import { kept } from './snapshots.ts'
import type { StepContext } from './stepContext.ts'
import { StepRegion } from './stepRegion.ts'
import { statements } from './steps.ts'
import type { Training } from './training.ts'

/**
 * Whether an `update` is `(param, grad, t, loss, closure)`: it moves all parameters together, as one vector, and may evaluate
 * the loss of its batch elsewhere (F42).
 */
export function takesClosure({ signature }: Method): boolean {
  return signature.formals.length === 5
}

/** An optimizer declaration, and the names that its settings have in its body. */
export interface ClosureSource {
  readonly declaration: Optimizer
  readonly update: Method
  readonly env: Env
}

/** A part of the vector: so many elements of parameters that all have a constraint, or none of which has one. */
export interface Stretch {
  readonly count: Dim
  readonly constrained: boolean
}

/** The update as statements of the host; undefined where it has an error. */
export function elaborateClosure(
  ctx: Context,
  { declaration, update, env }: ClosureSource,
  stretches: readonly Stretch[],
  size: Dim,
): { readonly slots: readonly OptimizerSlot[]; readonly closure: Closure } | undefined {
  if (refused(ctx, update)) return undefined
  const region = new StepRegion(new Set())
  const scope = env.child()
  const within: Context = { ...ctx, env: scope, region, expected: undefined }
  scope.define('size', int(size))
  const vector: TensorType = { dtype: 'f32', shape: [size] }
  const slots = declaration.members
    .filter(member => member.kind === 'Slot')
    .map(slot => slotOf(within, slot, vector))
  const given = (name: string, type: TensorType, span = update.span): Value => ({
    kind: 'tensor',
    name: region.fresh(name),
    type,
    span,
  })
  const inputs = slots.map(({ node, type }) => {
    const value = given(node.name.text, type, node.span)
    scope.define(node.name.text, value, node.name.span, { mutable: true })
    return value
  })
  const [param, grad, t, loss, evaluate] = update.signature.formals.map(({ name }) => name)
  for (const [name, type] of [
    [param, vector],
    [grad, vector],
    [loss, { dtype: 'f32', shape: [] }],
  ] as const) {
    const value = given(name?.text ?? '', type)
    inputs.push(value)
    if (name) scope.define(name.text, value, name.span)
  }
  if (t) scope.define(t.text, { kind: 'float', expr: { kind: 'argument', name: 't' } }, t.span)
  if (evaluate) scope.define(evaluate.text, { kind: 'closure', size }, evaluate.span)
  scope.define('constrained', constrainedMask(within, stretches, update))
  const step = stepOf(within, region, (place, node) =>
    returned(
      place,
      node,
      vector,
      slots.map(({ node: { name }, type }) => ({ name: name.text, type })),
    ),
  )
  if (update.body.kind === 'Block') statements(step, update.body)
  else step.onReturn?.(step, { kind: 'Return', value: update.body, span: update.body.span, id: update.id })
  const last = region.body.at(-1)
  if (last?.kind !== 'return') return undefined
  return {
    slots: slots.map(({ node, type }) => ({
      name: node.name.text,
      value: knownNumber(expression({ ...ctx, env }, node.value)) ?? 0,
      type,
    })),
    closure: {
      inputs: inputs.flatMap(value =>
        value.kind === 'tensor' ? [{ name: value.name, type: value.type }] : [],
      ),
      body: region.body,
      ...(declaration.doc === undefined ? {} : { doc: declaration.doc }),
      origin: originOf(update.span),
    },
  }
}

interface TypedSlot {
  readonly node: Slot
  readonly type: TensorType
}

/** `like param`, or a type of its own, in which `size` counts the elements of all parameters. */
function slotOf(ctx: Context, node: Slot, vector: TensorType): TypedSlot {
  const declared = declaredType(ctx, node.type)
  if (declared.kind === 'tensor' && declared.type.dtype === 'f32') return { node, type: declared.type }
  if (declared.kind === 'float') return { node, type: { dtype: 'f32', shape: [] } }
  if (declared.kind !== 'like' && declared.kind !== 'error')
    complain(ctx, 'LTM2109', node.type.span, {
      wanted: '`like param` or an f32 tensor',
      got: declared.kind === 'tensor' ? describe({ ...declared, name: '', span: undefined }) : declared.kind,
    })
  return { node, type: vector }
}

/** Which elements of the vector belong to a parameter with a constraint. */
function constrainedMask(ctx: Context, stretches: readonly Stretch[], { span }: Method): Value {
  const parts = stretches.flatMap(({ count, constrained: value }) => {
    const part = applyOperator(ctx, 'full', [], { shape: [count], value, dtype: 'bool' }, span)
    return part.kind === 'error' ? [] : [part]
  })
  const [first, second] = parts
  if (first === undefined || second === undefined) return first ?? errorValue
  return applyOperator(ctx, 'concat', parts, { axis: 0 }, span)
}

/** What belongs to steps and hooks, and a `return` that is not the last line; true where there was one. */
function refused(ctx: Context, { body }: Method): boolean {
  const last = body.kind === 'Block' ? body.statements.at(-1) : body
  if (last?.kind !== 'Return' && body.kind === 'Block') {
    complain(ctx, 'LTM3017', { ...body.span, start: Math.max(body.span.start, body.span.end - 1) }, undefined)
    return true
  }
  let found = false
  const refuse = (place: string) => (node: Statement) => {
    found = true
    complain(ctx, 'LTM4502', node.span, { statement: statementWord(node), place })
  }
  const elsewhere = refuse('an optimizer; it belongs to a step or a hook')
  visit(body, {
    Minimize: elsewhere,
    Log: elsewhere,
    Skip: elsewhere,
    Stop: elsewhere,
    Print: elsewhere,
    CheckpointStatement: elsewhere,
    Freeze: elsewhere,
    Unfreeze: elsewhere,
    CallStatement: elsewhere,
    Return: node => {
      if (node === last) return
      refuse('an update before its last line; set a `var` and return that at the end')(node)
    },
  })
  return found
}

/** The new slots and the new vector. */
function returned(
  step: StepContext,
  node: Return,
  vector: TensorType,
  slots: readonly { readonly name: string; readonly type: TensorType }[],
): void {
  const { ctx, region } = step
  const wanted = [...slots, { name: 'param', type: vector }]
  const span = node.value?.span ?? node.span
  const values = wanted.map(({ name }) =>
    name === 'param' && node.value ? expression(ctx, node.value) : ctx.env.lookup(name)?.value,
  )
  const fields = wanted.flatMap(({ name, type }, i) => {
    const value = values[i] ?? errorValue
    const tensor = value.kind === 'error' ? value : toTensor(ctx, value, span)
    if (tensor.kind === 'error') return []
    if (sameType(tensor.type, type)) return [{ name, value: tensor.name }]
    complain(ctx, 'LTM2115', span, {
      name: name === 'param' ? 'the new parameter' : `\`${name}\``,
      expected: describe({ kind: 'tensor', name, type, span: undefined }),
      got: describe(tensor),
    })
    return []
  })
  if (fields.length === wanted.length)
    region.body.push({ kind: 'return', fields, origin: originOf(node.span) })
  else step.training.silent.push(span)
}

/** Where the statements stand: no step of training, so that nothing is logged, and no hook. */
function stepOf(
  ctx: Context,
  region: StepRegion,
  onReturn: NonNullable<StepContext['onReturn']>,
): StepContext {
  const changing = new Set<string>()
  const keeper = { region, phase: 'train', changing } as const
  const watching: Context['watching'] = {
    read: () => undefined,
    stalled: (within, node) => complain(within, 'LTM4381', node.span, { phase: undefined }),
    keep: (value, { text, span }) => kept(keeper, value, text, span),
  }
  return {
    training: nothingTrained(ctx),
    ctx: { ...ctx, watching },
    region,
    phase: undefined,
    prefix: '',
    names: new Map(),
    variables: new Map(),
    changing,
    onReturn,
    updated: false,
  }
}

function nothingTrained(ctx: Context): Training {
  return {
    ctx,
    datasets: new Map(),
    optimizers: [],
    averages: [],
    metrics: new Map(),
    parameters: [],
    frozen: new Set(),
    standing: new Set(),
    parts: [],
    logged: new Set(),
    returned: [],
    readings: [],
    cadences: [],
    phases: new Set(),
    stalls: new NameSupply(),
    losses: [],
    silent: ctx.world.silent,
    reached: { paths: new Set(), all: true },
    minimised: new Map(),
    failedData: false,
    failedSteps: new Set(),
    failedOptimizers: new Set(),
  }
}
