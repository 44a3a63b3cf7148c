import { bug } from '../base/bug.ts'
import { NameSupply } from '../base/fresh.ts'
import { mapBlocks, within } from '../ir/blocks.ts'
import type { HostStatement, Program, Step } from '../ir/ir.ts'
import { findOp } from '../ops/index.ts'
import type { Pass } from './pass.ts'
import { type Place, valuesOf } from './rewrite.ts'
import {
  changesState,
  dependsOnTime,
  endsOf,
  exprsOf,
  isEffect,
  namesDefined,
  outputNames,
  type Renaming,
  readsOfExpr,
  readsOfStatement,
  readsOfStep,
  renameInputs,
  renameOutputs,
  renameTerms,
} from './values.ts'

/**
 * Gives every `minimize` the steps that lead from its optimizer's parameters to its loss and weight: what it has to
 * differentiate. What others read of them is exported.
 *
 *     %w: f32[1] = read w                        minimize loss = %l with sgd exports %y {
 *     %y: f32[n] = mul %x, %w                      %w: f32[1] = read w
 *     %l: f32[n] = abs %y               →       %y: f32[n] = mul %x, %w
 *     minimize loss = %l with sgd                  %l: f32[n] = abs %y
 *     log size = %y                              }
 *                                                log size = %y
 *
 * A step is
 * - moved into the body where nothing but steps and the `minimize` itself reads it before the `minimize`;
 * - copied into it under a fresh name where a statement before, or another list, needs it too (a GAN's fake images, which
 *   the critic has seen). Steps are pure, so the copy has the same value;
 * - put behind it where it reads what has moved but the loss does not need it;
 * - left alone where it does not depend on the optimizer's parameters.
 *
 * A `debug` of a value that has moved moves with it, so that it shows what leads to a loss that is not finite. One behind it that
 * reads no value goes as well, unless it looks at something that changes before the `minimize`.
 *
 * Where statements look at the loss before it is minimised (an `if` that skips bad batches), nothing is computed twice: the
 * region stands before them as `differentiate`, and the `minimize` becomes the `move` of what was differentiated.
 *
 * What the host does with the number in a tensor ends the region: no gradient flows through it. No step moves over a
 * `minimize` or a `set` that changes what it looks at, see the Note at the end.
 */
export const formRegions: Pass = {
  name: 'form-regions',
  promise: 'The body of each `minimize` holds every step from the parameters of its optimizer to its loss.',
  run: program => {
    const owned = parametersByOptimizer(program)
    const formed = <P extends Exclude<Place, { readonly steps: unknown }>>(place: P): P => {
      const supply = supplyFor(place)
      return { ...place, body: formList(place.body, { owned, supply, outer: [] }) }
    }
    return { ...program, steps: program.steps.map(formed), hooks: program.hooks.map(formed) }
  },
}

interface Context {
  readonly owned: ReadonlyMap<string, ReadonlySet<string>>
  readonly supply: NameSupply
  /** The statements before, in the lists around. */
  readonly outer: readonly HostStatement[]
}

type Minimize = Extract<HostStatement, { readonly kind: 'minimize' }>

function parametersByOptimizer({ optimizers }: Program): ReadonlyMap<string, ReadonlySet<string>> {
  return new Map(
    optimizers.map(({ name, groups }) => [name, new Set(groups.flatMap(group => group.parameters))]),
  )
}

function supplyFor(place: Exclude<Place, { readonly steps: unknown }>): NameSupply {
  const supply = new NameSupply()
  const given = 'streams' in place ? valuesOf(place).map(value => value.name) : []
  for (const name of [...given, ...place.body.flatMap(namesDefined)]) supply.fresh(name)
  return supply
}

function formList(statements: readonly HostStatement[], context: Context): readonly HostStatement[] {
  let before: readonly HostStatement[] = []
  for (const [i, statement] of statements.entries()) {
    if (statement.kind === 'minimize') {
      const readLater = new Set(statements.slice(i + 1).flatMap(readsOfStatement))
      before = formMinimize(statement, before, readLater, context)
    } else before = [...before, formWithin(statement, { ...context, outer: [...context.outer, ...before] })]
  }
  return before
}

function formWithin(statement: HostStatement, context: Context): HostStatement {
  // What a loop changes has changed when its next round begins.
  const around = statement.kind === 'for' ? [...context.outer, statement] : context.outer
  return mapBlocks(statement, block => formList(block, { ...context, outer: around }))
}

/** The list up to and with a `minimize`, whose body now has its steps. */
function formMinimize(
  statement: Minimize,
  before: readonly HostStatement[],
  readLater: ReadonlySet<string>,
  { owned, supply, outer }: Context,
): readonly HostStatement[] {
  const visible = stepsAmong([...outer, ...before])
  const ends = endsOf(statement.terms)
  const losses = statement.terms.map(({ loss }) => loss)
  const parameters = owned.get(statement.optimizer) ?? new Set()
  // Steps behind a `stop_gradient` come along, so that they need not run twice, unless they are older than a change.
  const region =
    [
      { reads: allInputs, from: ends },
      // No gradient flows through a weight.
      { reads: gradientInputs, from: losses },
    ]
      .map(({ reads, from }) => regionOf(visible, from, parameters, reads))
      .find(steps => !hasChanged(statement, steps, [...outer, ...before])) ?? refuse(statement)
  refuseMoved(statement, losses, parameters, [...outer, ...before])
  const wanted = slice(visible, ends, readsOfStep)
  const ahead = lookedAtAhead(before, region, wanted)
  if (ahead !== undefined)
    return formAhead(statement, before, readLater, withShown(before, region, region), wanted, ahead)
  const { moved, late: behind } = whereTo(before, wanted, region)
  const shown = withShown(before, region, [...moved])
  const late = new Set([...behind].filter(step => !shown.includes(step)))
  const gone = new Set([...moved, ...behind, ...shown.filter(isEffect)])
  const copies = copyNames(
    region.filter(step => !moved.has(step)),
    supply,
  )
  const readBehind = new Set([...readLater, ...[...late].flatMap(readsOfStep)])
  const exports = [...moved].flatMap(outputNames).filter(name => readBehind.has(name))
  const body = shown.map(step => inBody(step, moved, copies))
  return [
    ...before.filter(each => each.kind !== 'compute' || !gone.has(each.step)),
    withBody(statement, copies, body, exports),
    ...[...late].map((step): HostStatement => ({ kind: 'compute', step })),
  ]
}

/** The region with what shows the values of some of its steps, and what is shown behind these, in the order of the source. */
function withShown(
  before: readonly HostStatement[],
  region: readonly Step[],
  steps: readonly Step[],
): readonly Step[] {
  const values = new Set(steps.flatMap(outputNames))
  const own = stepsAmong(before)
  const first = own.findIndex(step => isEffect(step) && step.inputs.some(name => values.has(name)))
  const shows = (step: Step, i: number) =>
    first >= 0 &&
    i >= first &&
    isEffect(step) &&
    readsOfStep(step).every(name => values.has(name)) &&
    !(dependsOnTime(step) && changesBehind(step, before))
  const around = region.filter(step => !own.includes(step))
  return [...around, ...own.filter((step, i) => region.includes(step) || shows(step, i))]
}

/**
 * Where the first statement stands that looks at what a region computes; undefined where there is none, or where the
 * region can't stand before it: because something changes between it and the `minimize`, because steps of the region
 * stand in a list around, or because the loss itself needs a number that the host reads of the region.
 */
function lookedAtAhead(
  before: readonly HostStatement[],
  region: readonly Step[],
  wanted: readonly Step[],
): number | undefined {
  const steps = stepsAmong(before)
  const affected = dependents(steps, step => region.includes(step), readsOfStep)
  const values = new Set(affected.flatMap(outputNames))
  const first = before.findIndex(
    each => each.kind !== 'compute' && readsOfStatement(each).some(name => values.has(name)),
  )
  if (first < 0) return undefined
  const changes = before.slice(first).some(each => changesState(each) || each.kind === 'differentiate')
  const around = region.some(step => !steps.includes(step))
  const needsNumber =
    wanted.some(step => !region.includes(step) && affected.includes(step)) ||
    region.some(step =>
      exprsOf(step)
        .flatMap(readsOfExpr)
        .some(name => values.has(name)),
    )
  return changes || around || needsNumber ? undefined : first
}

/** The list with the region before the first statement that looks at its values, and the `move` at the end. */
function formAhead(
  { optimizer, terms, origin }: Minimize,
  before: readonly HostStatement[],
  readLater: ReadonlySet<string>,
  region: readonly Step[],
  wanted: readonly Step[],
  first: number,
): readonly HostStatement[] {
  const affected = dependents(stepsAmong(before), step => region.includes(step), readsOfStep)
  const among = (steps: readonly Step[]) => (each: HostStatement) =>
    each.kind === 'compute' && steps.includes(each.step)
  const late = affected.filter(step => !region.includes(step))
  const early = wanted.filter(step => !affected.includes(step))
  const head = before.slice(0, first)
  const tail = before.slice(first).filter(each => !among([...region, ...early])(each))
  const behind = [...head.filter(among(late)), ...tail]
  const read = new Set([...readLater, ...behind.flatMap(readsOfStatement)])
  const exports = region.flatMap(outputNames).filter(name => read.has(name))
  return [
    ...head.filter(each => !among(affected)(each)),
    ...before.slice(first).filter(among(early)),
    { kind: 'differentiate', optimizer, terms, body: region, exports, origin },
    ...behind,
    { kind: 'move', optimizer, names: terms.map(({ name }) => name), origin },
  ]
}

type Reads = (step: Step) => readonly string[]

const allInputs: Reads = step => step.inputs
const gradientInputs: Reads = step => (findOp(step.op)?.grad === 'none' ? [] : step.inputs)

/** The steps that lead from the parameters to the ends: no gradient flows through a number of the host. */
function regionOf(
  visible: readonly Step[],
  ends: readonly string[],
  parameters: ReadonlySet<string>,
  reads: Reads,
): readonly Step[] {
  return dependents(slice(visible, ends, reads), step => readsOne(step, parameters), reads)
}

function readsOne(step: Step, parameters: ReadonlySet<string>): boolean {
  return step.op === 'read' && parameters.has(String(step.attrs.parameter))
}

/** Which steps of the list move into the body, and which have to follow it. */
function whereTo(
  before: readonly HostStatement[],
  wanted: readonly Step[],
  region: readonly Step[],
): { readonly moved: ReadonlySet<Step>; readonly late: ReadonlySet<Step> } {
  const steps = stepsAmong(before)
  const outside = (step: Step) => !region.includes(step) && (wanted.includes(step) || dependsOnTime(step))
  const statements = before.filter(statement => statement.kind !== 'compute')
  const needed = [...statements.flatMap(readsOfStatement), ...steps.filter(outside).flatMap(outputNames)]
  const staying = new Set(slice(steps, needed, readsOfStep))
  const moved = new Set(region.filter(step => steps.includes(step) && !staying.has(step)))
  const affected = dependents(steps, step => moved.has(step), readsOfStep)
  return { moved, late: new Set(affected.filter(step => !moved.has(step))) }
}

/** Whether a step of the region looks at something that has changed since it stood; see the Note. */
function hasChanged(
  { optimizer }: Minimize,
  region: readonly Step[],
  before: readonly HostStatement[],
): boolean {
  return region
    .filter(dependsOnTime)
    .some(step =>
      changesBehind(step, before, step.op === 'read' ? each => minimizes(each, optimizer) : changesState),
    )
}

/** Whether a statement behind a step changes something. */
function changesBehind(
  step: Step,
  before: readonly HostStatement[],
  changes: (statement: HostStatement) => boolean = changesState,
): boolean {
  const place = before.findIndex(each => each.kind === 'compute' && each.step === step)
  return before.slice(place + 1).some(changes)
}

/** Refuses a gradient that would have to flow through the body of an earlier `minimize`; see the Note. */
function refuseMoved(
  statement: Minimize,
  ends: readonly string[],
  parameters: ReadonlySet<string>,
  before: readonly HostStatement[],
): void {
  const bodies = before.flatMap(stepsWithin)
  const steps = before.flatMap(each => [...stepsWithin(each), ...stepsAmong([each])])
  if (regionOf(steps, ends, parameters, gradientInputs).some(step => bodies.includes(step))) refuse(statement)
}

function refuse({ terms }: Minimize): never {
  return bug(
    `minimize ${terms.map(({ name }) => name).join(', ')} would differentiate through values that have changed since`,
  )
}

function minimizes(statement: HostStatement, optimizer: string): boolean {
  if (statement.kind === 'minimize' || statement.kind === 'move') return statement.optimizer === optimizer
  return within(statement).some(each => minimizes(each, optimizer))
}

function withBody(
  statement: Minimize,
  names: Renaming,
  body: readonly Step[],
  exports: readonly string[],
): Minimize {
  return {
    ...statement,
    terms: renameTerms(statement.terms, names),
    body: [...body, ...statement.body.map(step => renameInputs(step, names))],
    exports: [...exports, ...statement.exports],
  }
}

function inBody(step: Step, moved: ReadonlySet<Step>, copies: Renaming): Step {
  const here = renameInputs(step, copies)
  return moved.has(step) ? here : renameOutputs(here, copies)
}

function copyNames(steps: readonly Step[], supply: NameSupply): Renaming {
  return new Map(steps.flatMap(outputNames).map(name => [name, supply.fresh(name)]))
}

function stepsWithin(statement: HostStatement): readonly Step[] {
  return statement.kind === 'minimize' || statement.kind === 'differentiate' ? statement.body : []
}

function stepsAmong(statements: readonly HostStatement[]): readonly Step[] {
  return statements.flatMap(statement => (statement.kind === 'compute' ? [statement.step] : []))
}

/** The steps that lead to some values, in order. */
function slice(steps: readonly Step[], values: readonly string[], reads: Reads): readonly Step[] {
  const wanted = new Set(values)
  const found = steps.toReversed().filter(step => {
    if (!outputNames(step).some(name => wanted.has(name))) return false
    for (const name of reads(step)) wanted.add(name)
    return true
  })
  return found.toReversed()
}

/** The steps that are roots or read what such steps give, in order. */
function dependents(steps: readonly Step[], isRoot: (step: Step) => boolean, reads: Reads): readonly Step[] {
  const values = new Set<string>()
  return steps.filter(step => {
    if (!isRoot(step) && !reads(step).some(name => values.has(name))) return false
    for (const name of outputNames(step)) values.add(name)
    return true
  })
}

/*
 * Note [Values that change]
 *
 * Values mean what they meant at their line. A step that only computes gives the same wherever it stands, but a `read`
 * gives another tensor once a `minimize` has moved its parameter, and a call that is passed a clock or a `var` other
 * numbers once these have changed. Such a step may move into the body of a `minimize` only while nothing in between
 * changes what it looks at, and it never moves behind the `minimize`. The language refuses to differentiate through
 * values of parameters that have moved since, so meeting one here is a mistake of an earlier phase.
 */
