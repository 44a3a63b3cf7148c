import { bug } from '../../base/bug.ts'
import { annotation, type Code, join, ts } from '../../base/code.ts'
import { within } from '../../ir/blocks.ts'
import type { HostStatement, Step } from '../../ir/ir.ts'
import { statement, verbatim } from '../layout.ts'
import { writeStep } from './body.ts'
import { callCode, calledFunction } from './calls.ts'
import { funcOf, holderName, isCompiled, localName, placeText, rootOf, traceOf } from './env.ts'
import { claim, property, quote } from './names.ts'
import { access, hasList, leavesOf, type Segment, treeLiteral, treeOf } from './paths.ts'
import { type Body, valueCode } from './values.ts'

/**
 * Steps between which no parameter moves. A constrained parameter has one value in a region; where such a value goes
 * to a function as part of its module, the module's values are gathered once: `const mix_ = { weight: simplex(mix.weight) }`.
 */
export interface Region {
  /** The value that stands for each parameter that is read: the constrained one where there is one. */
  readonly reads: readonly Read[]
  /** Models of which a constrained value is handed on as part of a module. */
  readonly gathered: ReadonlySet<string>
}
interface Read {
  readonly value: string
  readonly model: string
  readonly segments: readonly Segment[]
  /** The call that constrains it. */
  readonly constrain?: Step
}

/** Whether a read is one of the states of a metric. */
function readsStates({ op, attrs }: Step): boolean {
  return op === 'read' && attrs.metric !== undefined
}

/** The path of the parameter or buffer that a step reads. */
function pathRead({ attrs: { parameter, buffer } }: Step): string {
  return String(parameter ?? buffer)
}

/** Looks over the steps of a region. */
export function regionOf(body: Body, steps: readonly Step[]): Region {
  const raw = new Map(
    steps.flatMap(step =>
      step.op === 'read' && !readsStates(step)
        ? [[step.outputs[0]?.name ?? '', pathRead(step)] as const]
        : [],
    ),
  )
  const constrained = steps.filter(step => constrains(body, step, raw))
  const reads = [
    ...constrained.flatMap(step => readOf(body, raw.get(step.inputs[0] ?? ''), step.outputs[0]?.name, step)),
    ...[...raw].flatMap(([value, path]) =>
      body.env.constraintBuffers.has(path) ? [] : readOf(body, path, value, undefined),
    ),
  ]
  const live = reads.filter(({ value }) => body.uses.has(value))
  const first = live.filter((read, i) => live.findIndex(other => samePlace(other, read)) === i)
  const handed = new Set(steps.flatMap(step => membersOf(body, step)))
  const gathered = first.filter(({ constrain, value }) => constrain !== undefined && handed.has(value))
  return { reads: first, gathered: new Set(gathered.map(({ model }) => model)) }
}

function readOf(
  { env }: Body,
  path: string | undefined,
  value: string | undefined,
  constrain: Step | undefined,
): readonly Read[] {
  if (path === undefined || value === undefined) return []
  const place = rootOf(env, path)
  return [constrain === undefined ? { value, ...place } : { value, ...place, constrain }]
}

function samePlace(a: Read, b: Read): boolean {
  return a.model === b.model && a.segments.join() === b.segments.join()
}

function constrains({ env }: Body, step: Step, raw: ReadonlyMap<string, string>): boolean {
  const path = raw.get(step.inputs[0] ?? '')
  const forward = path === undefined ? undefined : env.parameters.get(path)?.constraint?.forward
  if (step.op !== 'call' || forward === undefined) return false
  // One with buffers has another specialisation where they are written.
  return (
    forward === step.attrs.func ||
    (step.outputs.length > 1 &&
      funcOf(env, forward).declaration === funcOf(env, String(step.attrs.func)).declaration)
  )
}

/** The inputs of a call that are members of its function's module. */
function membersOf({ env }: Body, step: Step): readonly string[] {
  if (step.op !== 'call' && step.op !== 'scan') return []
  const { params } = funcOf(env, String(step.attrs.func))
  return step.inputs.filter((_, i) => params[i]?.member !== undefined)
}

/** Writes the steps of a region in order. */
export function writeRegion(body: Body, steps: readonly Step[], region: Region, done: Set<string>): void {
  for (const step of steps) {
    if (readsStates(step)) writeStates(body, step)
    else if (step.op === 'read') writeRead(body, step, region, done)
    else if (!step.outputs.some(({ name }) => done.has(name))) writeStep(body, step)
  }
}

/** `const { correct, seen } = run.states('accuracy', accuracy)`. */
function writeStates(body: Body, { attrs: { metric, log }, outputs, origin }: Step): void {
  const declared = body.env.program.metrics.find(({ name }) => name === metric)?.states ?? []
  const fields = declared.map(({ name }, i) => {
    const value = outputs[i]?.name ?? bug('a metric without a state')
    const local = localName(body.scope, value)
    body.values.set(value, { kind: 'code', code: local })
    return property(name, local)
  })
  const args = [quote(String(log)), holderName(body.env, 'metric', String(metric))]
  body.lines.push(
    statement(ts`const { ${join(fields)} } = run.states(${join(args)})`, traceOf(body.env, origin)),
  )
}

function writeRead(body: Body, step: Step, region: Region, done: Set<string>): void {
  const [value] = step.outputs
  if (value === undefined || !body.uses.has(value.name)) return
  const { model, segments } = rootOf(body.env, pathRead(step))
  body.types.set(value.name, value.type)
  if (done.has(value.name)) return
  body.values.set(value.name, { kind: 'place', root: holderName(body.env, 'model', model), segments })
  if (region.gathered.has(model)) gather(body, region, model, done, traceOf(body.env, step.origin))
}

/** `const mix_ = { weight: simplex(mix.weight), mean: mix.mean }`: parts without constraints are taken over as they are. */
function gather(body: Body, region: Region, model: string, done: Set<string>, trace: string): void {
  const holder = holderName(body.env, 'model', model)
  const reads = region.reads.filter(read => read.model === model)
  if (reads.every(({ value }) => done.has(value))) return
  const tree = treeOf(reads.map(read => ({ path: read.segments, value: read })))
  for (const { constrain, segments } of reads)
    if (constrain && constrain.outputs.length > 1) writeConstrained(body, holder, constrain, segments, done)
  const code = treeLiteral(
    tree,
    read => readCode(body, holder, read),
    (part, depth) => plainPart(holder, leavesOf(part), depth),
  )
  const local = claim(body.scope, `${holder}_`)
  // Without it the checker takes a list of modules for an array of any length.
  const exact = hasList(tree) ? annotation` as const` : ''
  body.lines.push(statement(ts`const ${local} = ${code}${exact}`, trace))
  for (const { value, segments } of reads) {
    done.add(value)
    body.values.set(value, { kind: 'place', root: local, segments })
  }
}

/** `const [weight, u] = spectralNorm(net.weight, net['weight.u'])`: a constraint that writes buffers has more than one result. */
function writeConstrained(
  body: Body,
  holder: string,
  step: Step,
  segments: readonly Segment[],
  done: Set<string>,
): void {
  bindInputs(body, holder, step, segments)
  writeStep(body, step)
  for (const { name } of step.outputs) done.add(name)
}

/** What a constraint takes, as it stands in the model: the raw tensor, and its buffers beside that. */
function bindInputs(body: Body, holder: string, step: Step, segments: readonly Segment[]): void {
  const [raw, ...kept] = step.inputs
  if (raw !== undefined) body.values.set(raw, { kind: 'place', root: holder, segments })
  const { params } = funcOf(body.env, String(step.attrs.func))
  for (const [i, value] of kept.entries()) {
    const param = params[i + 1]
    if (body.values.has(value) || param === undefined) continue
    const [front, last] = [segments.slice(0, -1), segments.at(-1)]
    body.values.set(value, { kind: 'place', root: holder, segments: [...front, `${last}.${param.name}`] })
  }
}

/** A part of a model that holds no constrained parameter. */
function plainPart(holder: string, reads: readonly Read[], depth: number): Code | undefined {
  const [first] = reads
  if (first === undefined || reads.some(({ constrain }) => constrain !== undefined)) return undefined
  return access(holder, first.segments.slice(0, depth))
}

function readCode(body: Body, holder: string, { segments, constrain }: Read): Code {
  const raw = access(holder, segments)
  if (constrain === undefined) return raw
  const [first] = constrain.outputs
  if (constrain.outputs.length > 1 && first !== undefined) return valueCode(body, first.name)
  bindInputs(body, holder, constrain, segments)
  return callCode(body, constrain, calledFunction(body.env, constrain, body.section))
}

/** Whether a statement moves parameters or writes buffers. */
export function changesModels(host: HostStatement): boolean {
  return changedBuffers(host).length > 0 || movesParameters(host)
}

function movesParameters(host: HostStatement): boolean {
  return host.kind === 'minimize' || host.kind === 'move' || within(host).some(movesParameters)
}

function changedBuffers(host: HostStatement): readonly string[] {
  return host.kind === 'write' ? [host.buffer] : within(host).flatMap(changedBuffers)
}

/** What was read before it changes, and is wanted afterwards, is kept: a variable changes in place. */
export function keepReads(body: Body, wanted: ReadonlyMap<string, number>, host: HostStatement): void {
  const { env } = body
  const changed = new Set(changedBuffers(host).map(path => placeText(env, path)))
  const moves = movesParameters(host)
  const kept = [...body.values].filter(([name, bound]) => {
    if (bound.kind !== 'place' || !wanted.has(name)) return false
    const place = [bound.root, ...bound.segments].join('/')
    return env.bufferPlaces.has(place) ? changed.has(place) : moves
  })
  if (kept.length > 0) body.lines.push(verbatim('// As it is before the update below.'))
  for (const [name, bound] of kept) {
    const local = claim(body.scope, bound.kind === 'place' ? String(bound.segments.at(-1)) : name)
    body.lines.push(statement(ts`const ${local} = ${keptCode(body, name)}`))
    body.values.set(name, { kind: 'code', code: local })
  }
}

/** A compiled engine moves parameters where they lie, so that a copy has to be one of the numbers. */
function keptCode(body: Body, name: string): Code {
  const type = body.types.get(name)
  const floats = type !== undefined && type !== 'key' && type.dtype === 'f32'
  return isCompiled(body.env) && floats
    ? ts`tf.mul(${valueCode(body, name)}, 1)`
    : ts`tf.clone(${valueCode(body, name)})`
}
