import { bug } from '../../base/bug.ts'
import type { Expr, Local, Statement, Type } from '../../base/wasm/code.ts'
import { f32, f64, i32 } from '../../base/wasm/instructions.ts'
import { fourfold, type Lanes, single } from '../../base/wasm/lanes.ts'
import { passOver } from '../../base/wasm/loops.ts'
import { type Body, encodeModule, type Scope, wasmFunction } from '../../base/wasm/module.ts'
import type { Func, HostExpr, Step } from '../../ir/ir.ts'
import { applied, constantOperand, type Operand } from './elementwise.ts'
import { isSize, type Pass, type Plan, planOf } from './plan.ts'

/** The update of an optimizer as a WebAssembly module that exports `update`. */
export interface CompiledUpdate {
  /**
   * `update(slots…, param, grad, count, scale, scalars…)`: addresses of floats in the memory that the module imports, how
   * many elements each has, what the gradient is multiplied by first, then {@link scalars}. It writes slots and parameter in
   * place, in one pass over all of them, and one more before it for each sum of all that waits for another.
   */
  readonly bytes: Uint8Array<ArrayBuffer>
  /** How many slots it takes. */
  readonly slots: number
  /** What the host computes in 64 bits from `t` and the settings, once for each call; they arrive rounded to 32 bits. */
  readonly scalars: readonly HostExpr[]
}

/**
 * Compiles the update of a group (see `OptimizerGroup.update`) where every step is elementwise, or a sum or mean of all elements.
 * Undefined where another way has to be taken: calls that were not inlined, other reductions, operators that have no exact form
 * here.
 */
export function compileUpdate(func: Func): CompiledUpdate | undefined {
  const plan = planOf(func)
  if (plan === undefined) return undefined
  const bytes = encodeModule([wasmFunction('update', scope => bodyOf(func, plan, scope))])
  return { bytes, slots: func.params.length - 2, scalars: plan.scalars }
}

/** What the code of every pass refers to. */
interface Given {
  readonly func: Func
  readonly plan: Plan
  readonly scope: Scope
  /** The addresses of the tensors by the name of their value. */
  readonly addresses: ReadonlyMap<string, Expr<'i32'>>
  readonly count: Expr<'i32'>
  readonly scale: Expr<'f32'>
  /** The parameters that hold the scalars of the host. */
  readonly scalars: readonly Expr<'f32'>[]
}

type Values<F extends Type, B extends Type> = ReadonlyMap<string, Operand<F, B>>

function bodyOf(func: Func, plan: Plan, scope: Scope): Body {
  const addresses = new Map(func.params.map(({ name }) => [name, scope.param('i32')]))
  const [count, scale] = [scope.param('i32'), scope.param('f32')]
  const scalars = plan.scalars.map(() => scope.param('f32'))
  const given: Given = { func, plan, scope, addresses, count, scale, scalars }
  const uniform = new Map<string, Operand<'f32', 'i32'>>()
  return { statements: plan.passes.flatMap(pass => passCode(given, pass, uniform)) }
}

/** One pass; what is the same for all elements is computed before, and known to those that follow. */
function passCode(
  given: Given,
  pass: Pass,
  uniform: Map<string, Operand<'f32', 'i32'>>,
): readonly Statement[] {
  const { count, scope } = given
  const before: Statement[] = []
  for (const step of pass.uniform)
    uniform.set(outputOf(step), kept(single, uniformValue(given, step, uniform), scope, before))
  const splats = splatted(given, pass, uniform, before)
  const sums = new Map(pass.reductions.map(step => [step, scope.local('f64')]))
  const rounds = passOver(count, scope, {
    four: at => roundOf(given, pass, fourfold, splats, sums, at),
    one: at => roundOf(given, pass, single, uniform, sums, at),
  })
  const after: Statement[] = []
  for (const [step, sum] of sums) {
    const total: Operand<'f32', 'i32'> = { kind: 'number', expr: f32.demote_f64(sum) }
    uniform.set(outputOf(step), kept(single, total, scope, after))
  }
  return [...before, ...rounds, ...after]
}

function uniformValue(
  { plan, scalars, count }: Given,
  step: Step,
  values: Values<'f32', 'i32'>,
): Operand<'f32', 'i32'> {
  const scalar = scalars[plan.scalarOf.get(step) ?? -1]
  if (scalar !== undefined) return { kind: 'number', expr: scalar }
  if (isSize(step)) return { kind: 'number', expr: f32.convert_i32_u(count) }
  return constantOperand(step) ?? elementwise(single, step, values)
}

/** The values that a round reads, side by side. */
function splatted(
  given: Given,
  pass: Pass,
  values: Values<'f32', 'i32'>,
  statements: Statement[],
): Values<'v128', 'v128'> {
  const read = readIn(given, pass)
  const made = new Map<string, Operand<'v128', 'v128'>>()
  for (const [name, value] of values) {
    if (!read.has(name)) continue
    const splat: Operand<'v128', 'v128'> =
      value.kind === 'number'
        ? { kind: 'number', expr: fourfold.splat(value.expr) }
        : { kind: 'truth', expr: fourfold.splatTruth(value.expr) }
    made.set(name, kept(fourfold, splat, given.scope, statements))
  }
  return made
}

/** The values that steps, reductions and results of a pass read. */
function readIn({ func }: Given, { perElement, reductions }: Pass): ReadonlySet<string> {
  const results = reductions.length === 0 ? func.results : []
  return new Set([...[...perElement, ...reductions].flatMap(({ inputs }) => inputs), ...results])
}

/** Loads each tensor that is read, takes the steps, and adds to the sums; the last pass stores what has changed. */
function roundOf<F extends Type, B extends Type>(
  given: Given,
  pass: Pass,
  lanes: Lanes<F, B>,
  uniform: Values<F, B>,
  sums: ReadonlyMap<Step, Local<'f64'>>,
  at: Expr<'i32'>,
): readonly Statement[] {
  const { func, addresses, scale, scope } = given
  const statements: Statement[] = []
  const values = new Map(uniform)
  const read = readIn(given, pass)
  const place = (name: string): Expr<'i32'> => i32.add(addresses.get(name) ?? bug(`no tensor ${name}`), at)
  const gradient = func.params.at(-1)?.name
  for (const { name } of func.params) {
    if (!read.has(name)) continue
    const loaded = lanes.load(place(name))
    const expr = name === gradient ? lanes.binary.mul(loaded, lanes.splat(scale)) : loaded
    values.set(name, kept(lanes, { kind: 'number', expr }, scope, statements))
  }
  for (const step of pass.perElement)
    values.set(outputOf(step), kept(lanes, elementwise(lanes, step, values), scope, statements))
  for (const [step, sum] of sums) statements.push(...addition(given, lanes, step, values, sum))
  if (pass.reductions.length > 0) return statements
  for (const [i, result] of func.results.entries()) {
    const target = func.params[i]?.name
    const value = values.get(result)
    if (target === undefined || value?.kind !== 'number') return bug(`no tensor for %${result}`)
    if (target !== result) statements.push(lanes.store(place(target), value.expr))
  }
  return statements
}

/**
 * Adds elements to a sum in 64 bits, one after the other as TensorFlow.js does on the processor. Its mean divides each by their
 * number first.
 */
function addition<F extends Type, B extends Type>(
  { count, scope }: Given,
  lanes: Lanes<F, B>,
  step: Step,
  values: Values<F, B>,
  sum: Local<'f64'>,
): readonly Statement[] {
  const [value] = inputsOf(step.inputs, values)
  if (value?.kind !== 'number') return bug(`no number for ${step.op}`)
  const size = lanes.splat(f32.convert_i32_u(count))
  const terms = scope.local(lanes.numberType)
  return [
    terms.set(step.op === 'mean' ? lanes.binary.div(value.expr, size) : value.expr),
    ...lanes.elements(terms).map(term => sum.set(f64.add(sum, f64.promote_f32(term)))),
  ]
}

function elementwise<F extends Type, B extends Type>(
  lanes: Lanes<F, B>,
  step: Step,
  values: Values<F, B>,
): Operand<F, B> {
  return applied(lanes, step, inputsOf(step.inputs, values)) ?? bug(`no code for ${step.op}`)
}

function outputOf({ op, outputs: [output] }: Step): string {
  return output?.name ?? bug(`${op} without a result`)
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
