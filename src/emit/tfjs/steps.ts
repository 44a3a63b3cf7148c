import { bug } from '../../base/bug.ts'
import { annotation, type Code, join, ts } from '../../base/code.ts'
import { boundsOf } from '../../ir/blocks.ts'
import type {
  Closure,
  Hook,
  HookPayload,
  HostExpr,
  HostOperator,
  HostStatement,
  LogFlags,
  LossTerm,
  Message,
  Metric,
  Optimizer,
  Step,
  TrainingStep,
} from '../../ir/ir.ts'
import type { Dim } from '../../types/dim.ts'
import { type Line, layout, type Statement, statement } from '../layout.ts'
import { emitCalled, handedOn } from './calls.ts'
import {
  type Env,
  funcOf,
  holderName,
  hostFunctionName,
  localName,
  localScope,
  traceOf,
  unread,
} from './env.ts'
import { type EmittedFunction, emitFunction } from './functions.ts'
import { fieldCode } from './functionText.ts'
import { hostCode } from './host.ts'
import { refersTo } from './imports.ts'
import { listCode, literal, objectCode } from './literals.ts'
import { memberAccess, property, propertyKey, quote, scopeIn, upperFirst } from './names.ts'
import { raggedField } from './ragged.ts'
import { changesModels, keepReads, regionOf, writeRegion } from './regions.ts'
import { startsOf } from './scan.ts'
import { sizeCode } from './sizes.ts'
import { stateStyle } from './training.ts'
import { allInputs, countStatements, itemsOfStep, statementsIn, stepsOf, type Uses } from './uses.ts'
import { type Body, composed, lengthOf, nameValue, settle, valueCode, writePending } from './values.ts'

/** A step or hook as an asynchronous function, but for its name. */
export interface StepText {
  readonly params: Code
  readonly lines: readonly Line[]
}

/** The function that a step of training becomes. */
export function stepFunction(name: string, { params, lines }: StepText): Statement {
  return { kind: 'statement', code: ts`async function ${name}(${params}) {`, body: lines, close: '}' }
}

/** The name of a step's function: its phase, and its own name where it has one. */
export function stepName(steps: readonly TrainingStep[]): string {
  const phases = new Set(steps.map(({ phase }) => phase))
  const [first] = steps
  if (phases.size === 2 && phases.has('val') && phases.has('test')) return 'evaluate'
  const phase = first?.phase === 'val' ? 'validate' : (first?.phase ?? 'run')
  return phase + upperFirst(first?.name ?? '')
}

/** The text of a step of training. */
export function renderStep(env: Env, step: TrainingStep): StepText {
  return renderBody(env, step.body, { batches: step.streams, outputs: [], key: step.key, isHook: false })
}

/** The text of an update that moves all parameters of an optimizer together. */
export function renderClosure(env: Env, { slots, settings }: Optimizer, closure: Closure): StepText {
  const scope = stepScope(env, closure.body, ['closure'])
  const numbers = ['t', ...settings].map(name => ({ name, local: localName(scope, name), used: false }))
  const given = (name: string): Code => {
    const number = numbers.find(each => each.name === name) ?? bug(`there is no argument \`${name}\``)
    number.used = true
    return number.local
  }
  const size = (dim: Dim) => bug(`an optimizer reads the size \`${dim}\``)
  const body = createBody(env, closure.body, scope, dim => sizeCode(dim, size), given)
  const tensors = closure.inputs.map(({ name, type }) => {
    const local = localName(scope, name)
    body.values.set(name, { kind: 'code', code: local })
    body.types.set(name, type)
    return { name, local, used: body.uses.has(name) }
  })
  writeStatements(body, closure.body)
  const pattern = (entries: readonly Entry[], name: string): Code => {
    const used = entries.filter(entry => entry.used).map(entry => property(entry.name, entry.local))
    return used.length === 0 ? `_${name}` : `{ ${used.join(', ')} }`
  }
  const named = ['param', 'grad', 'loss'].map((name, i) => ({
    ...(tensors[slots.length + i] ?? bug('a lost input')),
    name,
  }))
  const [t, ...rest] = numbers
  const evaluates = stepsOf(closure.body).some(({ op }) => op === 'evaluate')
  const descent = [...named, ...(t ? [t] : []), { name: 'closure', local: 'closure', used: evaluates }]
  const runs = refersTo(layout(body.lines, 'javascript'), 'run')
  const record = (names: readonly string[], type: string): Code =>
    annotation`: ${names.length === 0 ? 'object' : `{ ${names.map(name => `${propertyKey(name)}: ${type}`).join('; ')} }`}`
  return {
    params: join([
      ts`${runs ? 'run' : '_run'}${annotation`: Run`}`,
      ts`${pattern(tensors.slice(0, slots.length), 'slots')}${record(
        slots.map(({ name }) => name),
        'tf.Tensor',
      )}`,
      ts`${pattern(descent, 'descent')}${annotation`: Descent`}`,
      ts`${pattern(rest, 'settings')}${record(settings, 'number')}`,
    ]),
    lines: body.lines,
  }
}

interface Entry {
  readonly name: string
  readonly local: string
  readonly used: boolean
}

/** The text of a hook's body. */
export function renderHook(env: Env, { body, payload }: Pick<Hook, 'body' | 'payload'>): StepText {
  return renderBody(env, body, { ...(payload ?? { batches: [], outputs: [] }), isHook: true })
}

/** What a step or hook is called with, behind the run. */
type Taken = HookPayload & { readonly key?: string | undefined; readonly isHook: boolean }

/** An argument, and whether anything reads it. */
interface Argument {
  readonly local: string
  readonly type: string
  used: boolean
}

function renderBody(env: Env, statements: readonly HostStatement[], taken: Taken): StepText {
  const scope = stepScope(env, statements)
  const argument = (name: string, type: string): Argument => ({
    local: localName(scope, name),
    type,
    used: false,
  })
  const outputs = taken.outputs.length === 0 ? [] : [argument('outputs', 'Tensors')]
  const batches = taken.batches.map(batch => ({ batch, argument: argument(batch.name, 'Batch') }))
  const size = (symbol: string): string => {
    const found = batches.find(({ batch }) => batch.size === symbol)
    if (found === undefined) return raggedSize(symbol)
    found.argument.used = true
    return `${found.argument.local}.size`
  }
  const lengths = new Map<string, string>()
  let behindFields = 0
  /** Read off a field when it is first used: `const t = batch.fields.words!.shape[1]!`. */
  const raggedSize = (symbol: string): string => {
    const known = lengths.get(symbol)
    if (known !== undefined) return known
    const found =
      batches.find(({ batch }) => raggedField(batch, symbol)) ?? bug(`no batch tells the size \`${symbol}\``)
    found.argument.used = true
    const field = memberAccess(raggedField(found.batch, symbol) ?? '')
    const local = localName(scope, symbol)
    const length = ts`${found.argument.local}.fields${field}${annotation`!`}.shape[1]${annotation`!`}`
    body.lines.splice(behindFields, 0, statement(ts`const ${local} = ${length}`))
    lengths.set(symbol, local)
    return local
  }
  const body = createBody(env, statements, scope, dim => sizeCode(dim, size))
  for (const output of outputs) takeFields(body, output, output.local, taken.outputs)
  for (const { batch, argument } of batches)
    takeFields(body, argument, `${argument.local}.fields`, batch.fields)
  behindFields = body.lines.length
  if (taken.key !== undefined) body.values.set(taken.key, { kind: 'code', code: 'run.key' })
  writeStatements(body, statements)
  // A hook is handed the outputs first, so their place is kept.
  const first = outputs.length === 0 && taken.isHook ? [argument('outputs', 'Tensors')] : outputs
  const list = [...first, ...batches.map(({ argument }) => argument)]
  const last = list.findLastIndex(({ used }) => used)
  const args = list
    .slice(0, last + 1)
    .map(({ local, type, used }) => ts`${used ? local : `_${local}`}${annotation`: ${type}`}`)
  return { params: join([...runParameter(body.lines, last >= 0), ...args]), lines: body.lines }
}

/** The fields that the body reads, as locals. */
function takeFields(body: Body, argument: Argument, from: string, fields: HookPayload['outputs']): void {
  for (const { field, value } of fields) {
    body.types.set(value.name, value.type)
    if (!body.uses.has(value.name)) continue
    argument.used = true
    const local = localName(body.scope, value.name)
    body.lines.push(statement(ts`const ${local} = ${from}${memberAccess(field)}${annotation`!`}`))
    body.values.set(value.name, { kind: 'code', code: local })
  }
}

/** Emits what the statements call, so that no local hides it, nor any declaration of the program. */
function stepScope(
  env: Env,
  statements: readonly HostStatement[],
  reserved: readonly string[] = [],
): Body['scope'] {
  const uses: Uses = new Map()
  countStatements(statements, uses, allInputs)
  const called = emitCalled(env, stepsOf(statements), uses, 'model')
  const updates = statementsIn(statements).flatMap(host =>
    host.kind === 'log_metric' ? [updateFunction(env, host).name] : [],
  )
  return localScope([...env.declared, ...called, ...updates, 'run', ...reserved])
}

/** The run, where it is used or another parameter follows. */
function runParameter(lines: readonly Line[], followed: boolean): readonly Code[] {
  const used = refersTo(layout(lines, 'javascript'), 'run')
  return used || followed ? [ts`${used ? 'run' : '_run'}${annotation`: Run`}`] : []
}

function createBody(
  env: Env,
  statements: readonly HostStatement[],
  scope: Body['scope'],
  sizes: Body['sizes'],
  given?: Body['given'],
): Body {
  const uses: Uses = new Map()
  countStatements(statements, uses, handedOn(env, 'model'))
  const bare = {
    env,
    section: 'model',
    values: new Map(),
    uses,
    sizes,
    types: new Map(),
    parts: new Map(),
    locals: new Map<string, string>(),
    unnamed: new Set([...startsOf(stepsOf(statements)), ...givenToVars(statements)]),
    ...(given === undefined ? {} : { given }),
  } as const
  return bodyIn(bare, scope, sizes)
}

/** The same step in a block of its own, or the step itself: lines and names of its own, and items that wait there. */
function bodyIn(
  outer: Omit<Body, 'scope' | 'lines' | 'host'>,
  scope: Body['scope'],
  sizes: Body['sizes'],
): Body {
  const item = (value: string): Code => {
    nameValue(body, value)
    return ts`await run.item(${valueCode(body, value)})`
  }
  const argument = outer.given ?? ((name: string) => bug(`a step reads the argument \`${name}\``))
  const body: Body = {
    ...outer,
    scope,
    lines: [],
    host: { clock: 'run', argument, local: name => outer.locals.get(name), size: sizes, item },
  }
  return body
}

// ── Statements ──────────────────────────────────────────────────────────────────────────────────────────────────────

/** Writes host statements; what is computed between two that change a model is one region. */
function writeStatements(body: Body, statements: readonly HostStatement[]): void {
  const done = new Set<string>()
  let region = regionOf(body, stepsUntilChange(statements, 0))
  for (const [i, host] of statements.entries()) {
    if (host.kind === 'compute') writeRegion(body, [host.step], region, done)
    else {
      const changes = changesModels(host)
      const sets = varsSetBy(host)
      if (changes || sets.size > 0) writePending(body)
      if (changes) keepReads(body, wantedFrom(body, statements.slice(host.kind === 'for' ? i : i + 1)), host)
      if (sets.size > 0) keepHeld(body, sets, wantedFrom(body, statements.slice(i)))
      writeStatement(body, host)
      if (changes) region = regionOf(body, stepsUntilChange(statements, i + 1))
    }
  }
}

/** What the statements read. */
function wantedFrom(body: Body, statements: readonly HostStatement[]): Uses {
  const wanted: Uses = new Map()
  countStatements(statements, wanted, handedOn(body.env, body.section))
  return wanted
}

function stepsUntilChange(statements: readonly HostStatement[], start: number): readonly Step[] {
  const end = statements.findIndex((host, i) => i >= start && changesModels(host))
  const between = statements.slice(start, end < 0 ? undefined : end)
  return between.flatMap(host => (host.kind === 'compute' ? [host.step] : []))
}

type Loss = Of<'minimize'> | Of<'differentiate'>
type Of<K extends HostStatement['kind']> = HostStatement & { readonly kind: K }

/** What a statement needs before it is written to the body first. */
function writeStatement(body: Body, host: Exclude<HostStatement, Of<'compute'>>): void {
  body.lines.push(lineOf(body, host))
}

function lineOf(body: Body, host: Exclude<HostStatement, Of<'compute'>>): Line {
  if (host.kind === 'minimize' || host.kind === 'differentiate') return minimizeLine(body, host)
  if (host.kind === 'if') return ifLine(body, host)
  if (host.kind === 'for') return forLine(body, host)
  // A `call` says its line itself.
  if (host.kind === 'call') return statement(callText(body, host))
  return statement(callText(body, host), traceOf(body.env, host.origin))
}

function callText(
  body: Body,
  host: Exclude<HostStatement, Of<'compute'> | Loss | Of<'if'> | Of<'for'>>,
): Code {
  switch (host.kind) {
    case 'log':
      return logCode(body, host)
    case 'log_metric':
      return metricCode(body, host)
    case 'log_states':
      return statesCode(body, host)
    case 'log_host':
      return ts`run.log(${join([quote(host.name), hostCode(host.value, body.host), ...optionsCode(host.flags)])})`
    case 'break':
      return 'break'
    case 'move':
      return moveCode(body, host)
    case 'var':
      return varCode(body, host)
    case 'var_tensor':
      return varCode(body, host)
    case 'set':
      return ts`${body.locals.get(host.name) ?? `vars${memberAccess(host.name)}`} = ${hostCode(host.value, body.host)}`
    case 'set_tensor':
      return setCode(body, host)
    case 'write':
      return composed(body, [host.value], () => {
        return ts`run.write(${join([quote(host.buffer), valueCode(body, host.value)])})`
      })
    case 'skip':
      return 'run.skip()'
    case 'stop':
      return ts`run.stop(${host.message === undefined ? '' : messageCode(body, host.message)})`
    case 'print':
    case 'checkpoint':
      return ts`run.${host.kind}(${messageCode(body, host.message)})`
    case 'call':
      return hostCallCode(body, host)
    case 'freeze':
      return ts`run.${host.frozen ? 'freeze' : 'unfreeze'}(${literal(host.parameters)})`
    case 'return':
      return returnCode(body, host)
  }
}

function logCode(body: Body, { name, value, weight, flags }: Of<'log'>): Code {
  const inputs = weight === undefined ? [value] : [value, weight]
  return composed(body, inputs, () => {
    const options = optionsCode(flags, weight === undefined ? undefined : valueCode(body, weight))
    return ts`run.log(${join([quote(name), valueCode(body, value), ...options])})`
  })
}

/** `run.update('accuracy', accuracy, state => accuracyUpdate(state, logits, label))`. */
function metricCode(body: Body, host: Of<'log_metric'>): Code {
  const { env } = body
  const metric = metricOf(env, host.metric)
  const update = emitFunction(env, funcOf(env, host.func), stateStyle(env, metric, true), 'metrics')
  return composed(body, host.inputs, () => {
    const call = ts`state => ${update.name}(${join(['state', ...host.inputs.map(name => valueCode(body, name))])})`
    const args = [quote(host.name), holderName(env, 'metric', host.metric), call, ...optionsCode(host.flags)]
    return ts`run.update(${join(args)})`
  })
}

/** `run.update('accuracy', accuracy, () => ({ correct: correct1, seen: seen1 }))`. */
function statesCode(body: Body, { name, metric, states, flags }: Of<'log_states'>): Code {
  const declared = metricOf(body.env, metric).states
  const fields = declared.map(
    (state, i) => [state.name, valueCode(body, states[i] ?? bug('a metric without a state'))] as const,
  )
  const args = [quote(name), holderName(body.env, 'metric', metric), ts`() => (${objectCode(fields)})`]
  return ts`run.update(${join([...args, ...optionsCode(flags)])})`
}

/** `await run.move(adam, ['loss'], { … }, 'digits.ltm:36')`. */
function moveCode(body: Body, { optimizer, names, by, origin }: Of<'move'>): Code {
  if (by === undefined)
    return ts`await ${body.locals.get(aheadName(names)) ?? bug('nothing was differentiated')}.minimize()`
  const terms = by.terms.map(({ mean, weight }) =>
    objectCode([
      ['mean', valueCode(body, mean)],
      ['weight', valueCode(body, weight)],
    ]),
  )
  const gradients = by.gradients.map(list =>
    objectCode(list.map(({ parameter, value }) => [parameter, valueCode(body, value)])),
  )
  const computed = objectCode([
    ['apart', by.apart ? 'true' : 'false'],
    ['terms', listCode(terms)],
    ['gradients', listCode(gradients)],
  ])
  const args = [holderName(body.env, 'optimizer', optimizer), literal(names), computed]
  return ts`await run.move(${join([...args, quote(traceOf(body.env, origin))])})`
}

function metricOf(env: Env, name: string): Metric {
  return env.program.metrics.find(metric => metric.name === name) ?? bug(`there is no metric \`${name}\``)
}

function updateFunction(env: Env, { metric: name, func }: Of<'log_metric'>): EmittedFunction {
  const metric = metricOf(env, name)
  return emitFunction(env, funcOf(env, func), stateStyle(env, metric, true), 'metrics')
}

function optionsCode({ bar, on }: LogFlags, weight?: Code): readonly Code[] {
  if (!bar && on === 'default' && weight === undefined) return []
  const options = [
    ['bar', bar ? 'true' : undefined],
    ['on', on === 'default' ? undefined : quote(on)],
    ['weight', weight],
  ] as const
  return [objectCode(options)]
}

function returnCode(body: Body, { fields }: Of<'return'>): Code {
  const inputs = fields.map(({ value }) => value)
  return composed(body, inputs, () => {
    return ts`return { ${join(fields.map(field => fieldCode(field.name, valueCode(body, field.value))))} }`
  })
}

function ifLine(body: Body, host: Of<'if'>): Line {
  writePending(body)
  const condition = hostCode(host.condition, body.host)
  const opened: Statement = {
    kind: 'statement',
    code: ts`if (${condition}) {`,
    body: blockLines(body, host.then, scopeIn(body.scope)),
    close: '}',
    trace: traceOf(body.env, host.origin),
  }
  if (host.otherwise.length === 0) return opened
  return { ...opened, otherwise: blockLines(body, host.otherwise, scopeIn(body.scope)) }
}

/** Statements of a block of their own. */
function blockLines(
  body: Omit<Body, 'scope' | 'lines' | 'host'>,
  statements: readonly HostStatement[],
  scope: Body['scope'],
): readonly Line[] {
  const inner = bodyIn(body, scope, body.sizes)
  writeStatements(inner, statements)
  writePending(inner)
  return inner.lines
}

/** `for (const i of run.range(0, 5)) {`: the run frees what a round has made. */
function forLine(body: Body, host: Of<'for'>): Line {
  writePending(body)
  const bounds = boundsOf(host).map(bound => hostCode(bound, body.host))
  const scope = scopeIn(body.scope)
  const index = localName(scope, host.index)
  body.locals.set(host.index, index)
  const lines = blockLines({ ...body, inLoop: true }, host.body, scope)
  const counted = refersTo(layout(lines, 'javascript'), index)
  return {
    kind: 'statement',
    code: ts`for (const ${counted ? index : unread(scope, index)} of run.range(${join(bounds)})) {`,
    body: lines,
    close: '}',
    trace: traceOf(body.env, host.origin),
  }
}

// ── Variables ───────────────────────────────────────────────────────────────────────────────────────────────────────

/** `let h = start`. */
function varCode(body: Body, host: Of<'var'> | Of<'var_tensor'>): Code {
  const start =
    host.kind === 'var'
      ? hostCode(host.value, body.host)
      : composed(body, [host.value], () => startCode(body, host.value))
  const local = localName(body.scope, host.name)
  body.locals.set(host.name, local)
  return ts`let ${local}${host.kind === 'var_tensor' ? annotation`: tf.Tensor` : ''} = ${start}`
}

/** What another `var` holds is freed when that one is set, so that each has its own. */
function startCode(body: Body, value: string): Code {
  const code = valueCode(body, value)
  return body.values.get(value)?.kind === 'held' ? ts`tf.clone(${code})` : code
}

/** `h = next`, which in a loop has to outlive its round. */
function setCode(body: Body, { name, value }: Of<'set_tensor'>): Code {
  const local = body.locals.get(name) ?? bug(`there is no var \`${name}\``)
  return composed(body, [value], () => {
    const next = valueCode(body, value)
    return body.inLoop ? ts`${local} = run.carry(${local}, ${next})` : ts`${local} = ${next}`
  })
}

/** Values that `var`s are given stand where they are given, unless something else reads them too. */
function givenToVars(statements: readonly HostStatement[]): ReadonlySet<string> {
  return new Set(
    statementsIn(statements).flatMap(host =>
      host.kind === 'var_tensor' || host.kind === 'set_tensor' ? [host.value] : [],
    ),
  )
}

/** The `var`s of a step that a statement sets, or something within it. */
function varsSetBy(host: HostStatement): ReadonlySet<string> {
  return new Set(statementsIn([host]).flatMap(each => (each.kind === 'set_tensor' ? [each.name] : [])))
}

/** What a `var` holds and is still read once it is set anew gets a name of its own. */
function keepHeld(body: Body, set: ReadonlySet<string>, wanted: Uses): void {
  for (const [value, bound] of body.values) {
    if (bound.kind !== 'held' || !set.has(bound.name) || !wanted.has(value)) continue
    const local = localName(body.scope, value)
    body.lines.push(statement(ts`const ${local} = tf.clone(${bound.code})`))
    body.values.set(value, { kind: 'code', code: local })
  }
}

// ── minimize ────────────────────────────────────────────────────────────────────────────────────────────────────────

/** The steps that lead to the loss run on a tape; what others read of them leaves the closure beside the loss. */
function minimizeLine(body: Body, host: Loss): Line {
  const item = hoistItems(body, host.body)
  const inner: Body = { ...body, lines: [], scope: scopeIn(body.scope), host: { ...body.host, item } }
  writeRegion(inner, host.body, regionOf(inner, host.body), new Set())
  const exports = host.exports.filter(name => body.uses.has(name))
  for (const name of exports) nameValue(inner, name)
  const { entries, taken } = resultOf(body, inner, host, exports)
  const trace = traceOf(body.env, host.origin)
  const ahead = host.kind === 'differentiate' ? aheadLocal(body, host) : undefined
  const target = ahead !== undefined ? `const ${ahead} = ` : taken === undefined ? '' : `const ${taken} = `
  const doing = ahead === undefined ? 'await run.minimize' : 'run.differentiate'
  const call = ts`${target}${doing}(${holderName(body.env, 'optimizer', host.optimizer)}, ${namesCode(host)}, () =>`
  const result = ts`{ ${join(entries)} }`
  const lines: Line[] = [...inner.lines, statement(ts`return ${result}`, trace)]
  const short = ts`${call} (${result}), ${quote(trace)})`
  const own: Line =
    inner.lines.length === 0 && lengthOf(short) <= longestCall
      ? statement(short)
      : { kind: 'statement', code: ts`${call} {`, body: lines, close: ts`}, ${quote(trace)})` }
  if (ahead === undefined || taken === undefined) return own
  body.lines.push(own)
  return statement(`const ${taken} = ${ahead}.outputs`)
}

/** What was differentiated has a name until it moves. */
function aheadLocal(body: Body, { terms }: Loss): string {
  const local = localName(body.scope, 'ahead')
  body.locals.set(aheadName(terms.map(({ name }) => name)), local)
  return local
}

/** No `var` of a step has this name. */
function aheadName(names: readonly string[]): string {
  return `minimize ${names.join()}`
}

/** A longer one gets a block. */
const longestCall = 90

/** `'loss'`, or `['data', 'prior']` where there are several terms. */
function namesCode({ terms }: Loss): Code {
  const names = terms.map(({ name }) => quote(name))
  return names.length === 1 ? join(names) : ts`[${join(names)}]`
}

/** What the closure returns, and the pattern that takes it apart outside. */
function resultOf(body: Body, inner: Body, host: Loss, exports: readonly string[]) {
  const [only, second] = host.terms
  const own = new Map(only !== undefined && second === undefined ? termValues(only) : [])
  const read = (value: string): Code => settle(inner, [value], valueCode(inner, value))
  const entries =
    own.size > 0
      ? [...own].map(([key, value]) => fieldCode(key, read(value)))
      : [ts`losses: [${join(host.terms.map(term => termCode(term, read)))}]`]
  const taken: string[] = []
  const outside: [name: string, local: string][] = []
  for (const name of exports) {
    const inside = valueCode(inner, name)
    const standing = [...own].find(([, value]) => value === name)?.[0]
    const key = standing ?? exportKey(inside, name, own)
    if (standing === undefined) entries.push(fieldCode(key, inside))
    const local = localName(body.scope, key === standing ? name : key)
    taken.push(property(key, local))
    outside.push([name, local])
  }
  for (const [name, local] of outside) body.values.set(name, { kind: 'code', code: local })
  return { entries, taken: taken.length === 0 ? undefined : `{ ${taken.join(', ')} }` }
}

function termValues({ loss, weight }: LossTerm): readonly (readonly [key: string, value: string])[] {
  return [['loss', loss], ...(weight === undefined ? [] : [['weight', weight] as const])]
}

function termCode(term: LossTerm, read: (value: string) => Code): Code {
  return ts`{ ${join(termValues(term).map(([key, value]) => fieldCode(key, read(value))))} }`
}

function exportKey(inside: Code, name: string, own: ReadonlyMap<string, string>): string {
  const key = typeof inside === 'string' ? inside : name.replace(/\W+/g, '_')
  return own.has(key) ? `${key}_` : key
}

/** The closure can't wait: numbers of tensors that its steps read are fetched before. */
function hoistItems(body: Body, steps: readonly Step[]): (value: string) => Code {
  const hoisted = new Map<string, string>()
  for (const step of steps) {
    for (const value of itemsOfStep(step)) {
      if (hoisted.has(value)) continue
      const local = localName(body.scope, `${value.replace(/^reduce_/, '')}_value`)
      body.lines.push(
        statement(ts`const ${local} = ${body.host.item(value)}`, traceOf(body.env, step.origin)),
      )
      hoisted.set(value, local)
    }
  }
  return value => hoisted.get(value) ?? bug(`%${value} is waited for on the tape`)
}

/** `await run.call(post, ['auroc', area], 'post', 'cancer.ltm:12')`. */
function hostCallCode(body: Body, { name, file, args, origin }: Of<'call'>): Code {
  const inputs = args.flatMap(arg => ('value' in arg ? [arg.value] : []))
  return composed(body, inputs, () => {
    const given = args.map(arg => {
      if ('text' in arg) return messageCode(body, arg.text)
      return 'expr' in arg ? hostCode(arg.expr, body.host) : valueCode(body, arg.value)
    })
    const called = [hostFunctionName(body.env, name, file), listCode(given), quote(name)]
    return ts`await run.call(${join([...called, quote(traceOf(body.env, origin))])})`
  })
}

// ── Messages ────────────────────────────────────────────────────────────────────────────────────────────────────────

function messageCode(body: Body, message: Message): Code {
  if (message.every(part => typeof part === 'string')) return quote(message.join(''))
  const values = message.flatMap(part => (typeof part !== 'string' && 'value' in part ? [part.value] : []))
  return composed(body, values, () => {
    const parts = message.map(part => messagePart(body, part))
    return ts`\`${join(parts, '')}\``
  })
}

function messagePart(body: Body, part: Message[number]): Code {
  if (typeof part === 'string') return part.replace(/[`\\]|\$(?=\{)/g, '\\$&').replace(/\n/g, '\\n')
  if ('expr' in part) {
    const code = hostCode(part.expr, body.host)
    return isMeasured(part.expr, body) ? ts`\${await run.text(${code})}` : ts`\${${code}}`
  }
  return ts`\${await run.text(${valueCode(body, part.value)})}`
}

const truths: readonly HostOperator[] = ['eq', 'ne', 'lt', 'le', 'gt', 'ge', 'and', 'or', 'not']

/** A number that was measured has more digits than a reader wants; counts are told as they are. */
function isMeasured(expr: HostExpr, body: Body): boolean {
  if (expr.kind === 'apply')
    return !truths.includes(expr.operator) && expr.args.some(arg => isMeasured(arg, body))
  if (expr.kind === 'var')
    return body.env.program.vars.some(({ name, type }) => name === expr.name && type === 'float')
  if (expr.kind === 'told') return expr.what === 'gradient_norm'
  return expr.kind === 'logged' || (expr.kind === 'clock' && expr.clock === 'seconds')
}
