import { NameSupply } from '../base/fresh.ts'
import type { Func, HostExpr, Program, Step, ValueType } from '../ir/ir.ts'
import { bindSizes, stepAt } from './calls.ts'
import { calledBy } from './functions.ts'
import type { Pass } from './pass.ts'
import { type Place, type Rewriter, type Rewriting, rewriteFunction, rewriteProgram } from './rewrite.ts'
import {
  isAttrList,
  isEffect,
  isHostExpr,
  mapExprs,
  mapLeaves,
  namesDefined,
  outputNames,
  renameInputs,
  renameOutputs,
} from './values.ts'

/**
 * Puts the bodies of small functions in the place of their calls: lambdas, and those of at most one step that takes
 * anything; a key of a place counts for nothing. What the host passes is put in with them.
 *
 *     func twice(%x: f32[...s]) -> (%y) fn {
 *       %y: f32[...s] = add %x, %x
 *     }
 *     %h: f32[n, 10] = call twice(%z)      →      %h: f32[n, 10] = add %z, %z
 *
 * The results keep the caller's names and sizes. Steps of a lambda, and what shows a value, keep their place in the source;
 * others get that of the call. Left alone: all larger functions, for the reader knows them by name, and the functions themselves.
 */
export const inlineSmall: Pass = {
  name: 'inline-small',
  promise:
    'Every function that is called has two steps or more that take something and give a tensor, or loops, and is no lambda.',
  run: program => rewriteProgram(program, inliner(smallFunctions(program))),
}

function isSmall(func: Func): boolean {
  const working = func.steps.filter(
    step => step.op !== 'key_at' && (step.inputs.length > 0 || step.op === 'call'),
  )
  const loops = func.steps.some(step => step.op === 'scan')
  return func.role === 'lambda' || (working.length <= 1 && !loops)
}

/** The small functions, with the calls in them already replaced. */
function smallFunctions(program: Program): ReadonlyMap<string, Func> {
  const functions = new Map(program.functions.map(func => [func.name, func]))
  const small = new Map<string, Func>()
  const done = new Set<string>()
  const visit = (func: Func | undefined): void => {
    if (func === undefined || done.has(func.name)) return
    done.add(func.name)
    for (const called of calledBy(func.steps)) visit(functions.get(called))
    const inlined = rewriteFunction(func, inliner(small))
    if (isSmall(inlined)) small.set(func.name, inlined)
  }
  for (const func of program.functions) visit(func)
  return small
}

interface Inlining extends Rewriting {
  readonly types: Map<string, ValueType>
  readonly supply: NameSupply
}

/** Replaces the calls of some functions by their bodies. */
export function inliner(small: ReadonlyMap<string, Func>): Rewriter<Inlining> {
  return {
    start: (given, place) => ({
      names: new Map(),
      types: new Map(given.map(value => [value.name, value.type])),
      supply: supplyFor(
        place,
        given.map(value => value.name),
      ),
    }),
    steps: (steps, state) =>
      steps.flatMap(step => {
        const made = inlined(renameInputs(step, state.names), small, state)
        for (const value of made.flatMap(each => each.outputs)) state.types.set(value.name, value.type)
        return made
      }),
    inner: state => ({ ...state, names: new Map(state.names), types: new Map(state.types) }),
  }
}

/** Fresh names that nothing in a place has. */
function supplyFor(place: Place, given: readonly string[]): NameSupply {
  const supply = new NameSupply()
  const own = 'steps' in place ? place.steps.flatMap(outputNames) : place.body.flatMap(namesDefined)
  for (const name of [...given, ...own]) supply.fresh(name)
  return supply
}

function inlined(step: Step, small: ReadonlyMap<string, Func>, state: Inlining): readonly Step[] {
  const func = step.op === 'call' ? small.get(String(step.attrs.func)) : undefined
  const types = step.inputs.flatMap(name => state.types.get(name) ?? [])
  const sizes = func && bindSizes(func, types)
  if (func === undefined || sizes === undefined || 'clash' in sizes) return [step]
  const names = namesAtCall(func, step, state)
  const passed = passedBy(func, step)
  return func.steps.map(each => {
    const here = renameOutputs(renameInputs(stepAt(each, sizes), names), names)
    const origin = func.role === 'lambda' || isEffect(each) ? each.origin : step.origin
    return { ...mapArguments(here, passed), origin }
  })
}

/** What the values of a function are called at a call: arguments, the call's results, or something new. */
function namesAtCall(func: Func, call: Step, state: Inlining): ReadonlyMap<string, string> {
  const names = new Map(func.params.map((param, i) => [param.name, call.inputs[i]!]))
  func.results.forEach((result, i) => {
    const output = call.outputs[i]!.name
    const known = names.get(result)
    if (known === undefined) names.set(result, output)
    else state.names.set(output, known)
  })
  for (const name of func.steps.flatMap(outputNames))
    if (!names.has(name)) names.set(name, state.supply.fresh(name))
  return names
}

/** What the host passes at a call, by the names of the function's host parameters. */
export function passedBy(func: Func, { attrs }: Step): ReadonlyMap<string, HostExpr> {
  const passed = attrs.host !== undefined && isAttrList(attrs.host) ? attrs.host.filter(isHostExpr) : []
  return new Map(func.hostParams.flatMap((name, i) => (passed[i] ? [[name, passed[i]] as const] : [])))
}

/** The step with what was passed in the place of host parameters. */
export function mapArguments(step: Step, passed: ReadonlyMap<string, HostExpr>): Step {
  return mapExprs(step, expr => withArguments(expr, passed))
}

function withArguments(expr: HostExpr, passed: ReadonlyMap<string, HostExpr>): HostExpr {
  return mapLeaves(expr, leaf => (leaf.kind === 'argument' ? (passed.get(leaf.name) ?? leaf) : leaf))
}
