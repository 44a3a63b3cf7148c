import { bug } from '../../base/bug.ts'
import { annotation, type Code, join, ts } from '../../base/code.ts'
import type { Func, Step, Value } from '../../ir/ir.ts'
import { isSequence, roundsOf, type Scan, scanOf } from '../../ir/scan.ts'
import { isRest, substitute } from '../../types/dim.ts'
import { newBindings, substituteShape, unifyShape } from '../../types/unify.ts'
import { type Line, layout, statement } from '../layout.ts'
import { handedOn, loopBody, usesIn } from './calls.ts'
import { localName, traceOf, unread } from './env.ts'
import { hostCode } from './host.ts'
import { refersTo } from './imports.ts'
import { type Scope, scopeIn } from './names.ts'
import type { SizeText } from './sizes.ts'
import { isHostExpr } from './uses.ts'
import { type Body, type Bound, nameValue, settle, stemOf, valueCode } from './values.ts'

/** Values that loops start with: they stand in the `let` that the loop carries on. */
export function startsOf(steps: readonly Step[]): ReadonlySet<string> {
  return new Set(steps.flatMap(step => step.inputs.slice(0, scanOf(step)?.carried ?? 0)))
}

/**
 * A `scan` as the loop that one would write:
 *
 *     let h: tf.Tensor = tf.zeros([batch, 4])
 *     const allRounds: tf.Tensor[] = []
 *     for (const [xt] of slices([x, 1])) {
 *       h = cell(self.cell, xt, h)
 *       allRounds.push(h)
 *     }
 *     const all = tf.stack(allRounds, 1)
 *
 * `write` writes a step of the body.
 */
export function writeScan(body: Body, step: Step, write: (body: Body, step: Step) => void): void {
  const scan = scanOf(step) ?? bug('a scan without its attributes')
  const func = loopBody(body.env, step) ?? bug('a scan without its function')
  const trace = traceOf(body.env, step.origin)
  for (const name of step.inputs.slice(scan.carried)) nameValue(body, name)
  const variables = startLines(body, step, scan, trace)
  const lists = listLines(body, step, scan, trace)
  const inner = innerBody(body, step, scan, func, variables)
  for (const each of func.steps) write(inner, each)
  const pushes = lists.map(({ list, result }): Line => {
    const code = readResult(inner, func.results[result] ?? bug('a scan without a result'))
    return statement(ts`${list}.push(${code})`, trace)
  })
  const updates = updateLines(inner, func, scan, variables, trace)
  const lines = [...inner.lines, ...pushes, ...updates]
  body.lines.push({
    kind: 'statement',
    code: ts`for (const ${headOf(body, step, scan, inner, lines)}) {`,
    body: lines,
    close: '}',
    trace,
  })
  variables.forEach((local, i) => {
    body.values.set(step.outputs[i]?.name ?? '', { kind: 'code', code: local })
  })
  for (const { list, output, result } of lists)
    writeStacked(body, step, scan, { list, output, axis: scan.stack[result - scan.carried] ?? 0 })
}

// ── Around the loop ─────────────────────────────────────────────────────────────────────────────────────────────────

/** `let h: tf.Tensor = …` for what is carried; gives the names. */
function startLines(body: Body, step: Step, { carried }: Scan, trace: string): readonly string[] {
  return step.inputs.slice(0, carried).map((start, i) => {
    const code = settle(body, [start], valueCode(body, start))
    const local = localName(body.scope, step.outputs[i]?.name ?? bug('a scan that loses what it carries'))
    body.lines.push(statement(ts`let ${local}${annotation`: tf.Tensor`} = ${code}`, trace))
    return local
  })
}

interface RoundList {
  readonly list: string
  readonly output: Value
  /** The place among the results of the body. */
  readonly result: number
}

/** `const allRounds: tf.Tensor[] = []` for each yield that somebody reads. */
function listLines(body: Body, step: Step, { carried }: Scan, trace: string): readonly RoundList[] {
  return step.outputs.flatMap((output, result) => {
    if (result < carried || !body.uses.has(output.name)) return []
    const list = localName(body.scope, `${stemOf(output.name)}Rounds`)
    body.lines.push(statement(ts`const ${list}${annotation`: tf.Tensor[]`} = []`, trace))
    return [{ list, output, result }]
  })
}

function writeStacked(
  body: Body,
  step: Step,
  scan: Scan,
  { list, output, axis }: { readonly list: string; readonly output: Value; readonly axis: number },
): void {
  const rounds = roundsOf(scan, body.types.get(step.inputs[scan.carried] ?? ''))
  const ordered = scan.reverse ? ts`${list}.reverse()` : list
  const shape = output.type === 'key' ? [] : output.type.shape
  const code =
    typeof rounds === 'number' && rounds > 0
      ? ts`tf.stack(${ordered}, ${axis})`
      : ts`stacked(${ordered}, ${axis}, [${join(shape.map(dim => body.sizes(dim)))}])`
  const local = localName(body.scope, output.name)
  body.lines.push(statement(ts`const ${local} = ${code}`, traceOf(body.env, step.origin)))
  body.values.set(output.name, { kind: 'code', code: local })
}

// ── The body ────────────────────────────────────────────────────────────────────────────────────────────────────────

interface InnerBody extends Body {
  /** The names of the slices, and of the position of the round where a draw asks for it. */
  readonly head: { readonly slices: readonly string[]; index: string | undefined }
}

function innerBody(body: Body, step: Step, scan: Scan, func: Func, variables: readonly string[]): InnerBody {
  const scope = scopeIn(body.scope)
  const uses = usesIn(func, handedOn(body.env, body.section))
  const slices = func.params
    .slice(scan.carried, scan.carried + scan.along.length)
    .map(param => localName(scope, param.name))
  const head: InnerBody['head'] = { slices, index: undefined }
  const values = new Map<string, Bound>(
    func.params.map((param, i): [string, Bound] => {
      if (i < scan.carried) return [param.name, { kind: 'code', code: variables[i]! }]
      if (isSequence(scan, i)) return [param.name, { kind: 'code', code: slices[i - scan.carried]! }]
      const input = step.inputs[i] ?? bug('a scan without an input')
      if (param.type === 'key')
        return [param.name, keyOfRound(body, input, scope, head, uses.has(param.name))]
      // What the body does not hand on to anything may never have been written.
      if (!uses.has(param.name)) return [param.name, { kind: 'code', code: '' }]
      return [param.name, body.values.get(input) ?? bug(`the value %${input} is read before it is computed`)]
    }),
  )
  const hosts = Array.isArray(step.attrs.host) ? step.attrs.host.filter(isHostExpr) : []
  const sizes = sizesAt(body, step, scan, func)
  const once = func.results.filter(name => uses.get(name) === 1)
  return {
    env: body.env,
    section: body.section,
    scope,
    values,
    types: new Map(func.params.map(param => [param.name, param.type])),
    uses,
    parts: body.parts,
    locals: body.locals,
    unnamed: new Set([...once, ...startsOf(func.steps)]),
    lines: [],
    sizes,
    host: {
      ...body.host,
      size: sizes,
      argument: name =>
        hostCode(hosts[func.hostParams.indexOf(name)] ?? bug(`there is no argument \`${name}\``), body.host),
    },
    head,
  }
}

/** The key of a round is that of its position below the loop's. */
function keyOfRound(body: Body, input: string, scope: Scope, head: InnerBody['head'], used: boolean): Bound {
  if (!used) return { kind: 'code', code: '' }
  head.index ??= localName(scope, 'i')
  return { kind: 'code', code: ts`${valueCode(body, input)}.at(${head.index})` }
}

/** Sizes of the body as what they are where the loop stands. */
function sizesAt(body: Body, step: Step, scan: Scan, func: Func): SizeText {
  const bindings = newBindings()
  func.params.forEach((param, i) => {
    const given = body.types.get(step.inputs[i] ?? '')
    if (param.type === 'key' || given === undefined || given === 'key') return
    const axis = isSequence(scan, i) ? scan.along[i - scan.carried] : undefined
    const at = axis === undefined ? -1 : axis < 0 ? given.shape.length + axis : axis
    const shape = given.shape.filter((_, k) => k !== at)
    unifyShape(param.type.shape, new Set(param.type.shape.flatMap(namesOf)), shape, bindings)
  })
  return dim => {
    if (!isRest(dim)) return body.sizes(substitute(dim, bindings.dims))
    return join(substituteShape([dim], bindings).map(each => body.sizes(each)))
  }
}

const namesOf = (dim: number | string): readonly string[] => (typeof dim === 'string' ? [dim] : [])

/** `[xt, mt, i] of slices([x, 1], [mask, 1])`. */
function headOf(
  body: Body,
  step: Step,
  scan: Scan,
  { head, scope }: InnerBody,
  lines: readonly Line[],
): Code {
  const text = layout(lines, 'javascript')
  const slices = head.slices.map(name => (refersTo(text, name) ? name : unread(scope, name)))
  const names = [...slices, ...(head.index === undefined ? [] : [head.index])]
  const sequences = scan.along.map((axis, i) => {
    const input = step.inputs[scan.carried + i] ?? bug('a scan without a sequence')
    return ts`[${valueCode(body, input)}, ${axis}]`
  })
  const rounds = ts`slices(${join(sequences)})`
  return ts`[${names.join(', ')}] of ${scan.reverse ? ts`${rounds}.reverse()` : rounds}`
}

function readResult(inner: Body, name: string): Code {
  return settle(inner, [name], valueCode(inner, name))
}

/** `h = …` for what a round changes; what a later line would read too late is kept before. */
function updateLines(
  inner: Body,
  func: Func,
  { carried }: Scan,
  variables: readonly string[],
  trace: string,
): readonly Line[] {
  const results = func.results.slice(0, carried)
  const changed = results.flatMap((name, i) => (func.params[i]?.name === name ? [] : [{ name, i }]))
  if (changed.length > 1) for (const { name } of changed) keep(inner, name, variables, trace)
  return changed.map(({ name, i }) =>
    statement(ts`${variables[i] ?? ''} = ${readResult(inner, name)}`, trace),
  )
}

function keep(inner: Body, name: string, variables: readonly string[], trace: string): void {
  nameValue(inner, name)
  const bound = inner.values.get(name)
  if (bound?.kind !== 'code' || typeof bound.code !== 'string' || !variables.includes(bound.code)) return
  const local = localName(inner.scope, bound.code)
  inner.lines.push(statement(ts`const ${local} = ${bound.code}`, trace))
  inner.values.set(name, { kind: 'code', code: local })
}
