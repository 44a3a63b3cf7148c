import { bug } from '../../base/bug.ts'
import type { Expr, Statement, Type } from '../../base/wasm/code.ts'
import { i32 } from '../../base/wasm/instructions.ts'
import { fourfold, type Lanes, single } from '../../base/wasm/lanes.ts'
import { passOver } from '../../base/wasm/loops.ts'
import { type Body, encodeModule, type Scope, wasmFunction } from '../../base/wasm/module.ts'
import type { Func, HostExpr } from '../../ir/ir.ts'
import { applied, constantOperand, type Operand } from './elementwise.ts'
import { type Plan, planOf } from './plan.ts'

/** The update of an optimizer as a WebAssembly module that exports `update`. */
export interface CompiledUpdate {
  /**
   * `update(slots…, param, grad, count, scale, scalars…)`: addresses of floats in the memory that the module imports, how
   * many elements each has, what the gradient is multiplied by first, then {@link scalars}. One pass over all of them writes
   * slots and parameter in place.
   */
  readonly bytes: Uint8Array<ArrayBuffer>
  /** How many slots it takes. */
  readonly slots: number
  /** What the host computes in 64 bits from `t` and the settings, once for each call; they arrive rounded to 32 bits. */
  readonly scalars: readonly HostExpr[]
}

/**
 * Compiles the update of a group (see `OptimizerGroup.update`) where every step is elementwise. Undefined where another way
 * has to be taken: calls that were not inlined, reductions, operators that have no exact form here.
 */
export function compileUpdate(func: Func): CompiledUpdate | undefined {
  const plan = planOf(func)
  if (plan === undefined) return undefined
  const bytes = encodeModule([wasmFunction('update', scope => bodyOf(func, plan, scope))])
  return { bytes, slots: func.params.length - 2, scalars: plan.scalars }
}

/** The addresses of the tensors by the name of their value, and what is known of all elements before the first. */
interface Given {
  readonly func: Func
  readonly plan: Plan
  readonly addresses: ReadonlyMap<string, Expr<'i32'>>
  readonly scale: Expr<'f32'>
  /** The parameter of the function that holds each scalar of the host. */
  readonly scalars: readonly Expr<'f32'>[]
}

function bodyOf(func: Func, plan: Plan, scope: Scope): Body {
  const addresses = new Map(func.params.map(({ name }) => [name, scope.param('i32')]))
  const count = scope.param('i32')
  const scale = scope.param('f32')
  const scalars = plan.scalars.map(() => scope.param('f32'))
  const given: Given = { func, plan, addresses, scale, scalars }
  const before = uniformValues(given, scope)
  const splats = splatted(given, before.values, scope)
  const pass = passOver(count, scope, {
    four: at => roundOf(given, fourfold, splats.values, at, scope),
    one: at => roundOf(given, single, before.values, at, scope),
  })
  return { statements: [...before.statements, ...splats.statements, ...pass] }
}

type Values<F extends Type, B extends Type> = ReadonlyMap<string, Operand<F, B>>

interface Computed<F extends Type, B extends Type> {
  readonly statements: readonly Statement[]
  readonly values: Values<F, B>
}

/** Computes what is the same for all elements, once. */
function uniformValues({ plan, scalars }: Given, scope: Scope): Computed<'f32', 'i32'> {
  const statements: Statement[] = []
  const values = new Map<string, Operand<'f32', 'i32'>>()
  for (const step of plan.uniform) {
    const [output] = step.outputs
    const scalar = scalars[plan.scalarOf.get(step) ?? -1]
    const value: Operand<'f32', 'i32'> | undefined = scalar
      ? { kind: 'number', expr: scalar }
      : (constantOperand(step) ?? applied(single, step, inputsOf(step.inputs, values)))
    if (output === undefined || value === undefined) return bug(`no code for ${step.op}`)
    values.set(output.name, kept(single, value, scope, statements))
  }
  return { statements, values }
}

/** The same values side by side, for all that a round reads. */
function splatted(
  { plan, func }: Given,
  values: Values<'f32', 'i32'>,
  scope: Scope,
): Computed<'v128', 'v128'> {
  const statements: Statement[] = []
  const read = new Set([...plan.perElement.flatMap(({ inputs }) => inputs), ...func.results])
  const made = new Map<string, Operand<'v128', 'v128'>>()
  for (const [name, value] of values) {
    if (!read.has(name)) continue
    const splat: Operand<'v128', 'v128'> =
      value.kind === 'number'
        ? { kind: 'number', expr: fourfold.splat(value.expr) }
        : { kind: 'truth', expr: fourfold.splatTruth(value.expr) }
    made.set(name, kept(fourfold, splat, scope, statements))
  }
  return { statements, values: made }
}

/** Loads each tensor that is read, takes the steps, and stores what has changed. */
function roundOf<F extends Type, B extends Type>(
  { func, plan, addresses, scale }: Given,
  lanes: Lanes<F, B>,
  uniform: Values<F, B>,
  at: Expr<'i32'>,
  scope: Scope,
): readonly Statement[] {
  const statements: Statement[] = []
  const values = new Map(uniform)
  const place = (name: string): Expr<'i32'> => i32.add(addresses.get(name) ?? bug(`no tensor ${name}`), at)
  const gradient = func.params.at(-1)?.name
  const read = new Set([...plan.perElement.flatMap(({ inputs }) => inputs), ...func.results])
  for (const { name } of func.params) {
    if (!read.has(name)) continue
    const loaded = lanes.load(place(name))
    const expr = name === gradient ? lanes.binary.mul(loaded, lanes.splat(scale)) : loaded
    values.set(name, kept(lanes, { kind: 'number', expr }, scope, statements))
  }
  for (const step of plan.perElement) {
    const [output] = step.outputs
    const value = applied(lanes, step, inputsOf(step.inputs, values))
    if (output === undefined || value === undefined) return bug(`no code for ${step.op}`)
    values.set(output.name, kept(lanes, value, scope, statements))
  }
  for (const [i, result] of func.results.entries()) {
    const target = func.params[i]?.name
    const value = values.get(result)
    if (target === undefined || value?.kind !== 'number') return bug(`no tensor for %${result}`)
    if (target !== result) statements.push(lanes.store(place(target), value.expr))
  }
  return statements
}

/** The value in a variable, so that whoever reads it twice does not compute it twice. */
function kept<F extends Type, B extends Type>(
  { numberType, truthType }: Lanes<F, B>,
  value: Operand<F, B>,
  scope: Scope,
  statements: Statement[],
): Operand<F, B> {
  if (value.kind === 'number') {
    const local = scope.local(numberType)
    statements.push(local.set(value.expr))
    return { kind: 'number', expr: local }
  }
  const local = scope.local(truthType)
  statements.push(local.set(value.expr))
  return { kind: 'truth', expr: local }
}

function inputsOf<F extends Type, B extends Type>(
  names: readonly string[],
  values: Values<F, B>,
): readonly Operand<F, B>[] {
  return names.map(name => values.get(name) ?? bug(`%${name} is read before it is computed`))
}
