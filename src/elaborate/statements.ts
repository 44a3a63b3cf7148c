import { nearest } from '../base/names.ts'
import { type Span, textOf } from '../base/source.ts'
import type { Block, Body, For, If, Let, SetStatement, Statement, Var, Yield } from '../syntax/ast.ts'
import { sameType } from '../types/tensor.ts'
import { setBuffer } from './buffers.ts'
import { holding, holdingAny } from './conditions.ts'
import { type Context, complain } from './context.ts'
import { checkDeclared } from './conversion.ts'
import { debug } from './debug.ts'
import { declare } from './declaring.ts'
import { describe } from './describe.ts'
import { expecting, expression, unexpecting } from './evaluate.ts'
import { columnsOf, iterate } from './iteration.ts'
import { conditionOf } from './operators.ts'
import { scan } from './scan.ts'
import { changeOf } from './targets.ts'
import { declaredType } from './types.ts'
import { errorValue, isBuffer, type Value } from './values.ts'

/** The value of a function's body. */
export function executeBody(ctx: Context, body: Body): Value {
  if (body.kind !== 'Block') return expression(ctx, body)
  const outcome = executeBlock(ctx, body)
  if (outcome.kind === 'returned') return outcome.value
  if (ctx.returns === 'optional') return { kind: 'record', fields: new Map() }
  return complain(ctx, 'LTM3017', lineOf(body), undefined)
}

/** The closing brace: where a value is missed. */
const lineOf = (body: Block): Span => ({ ...body.span, start: Math.max(body.span.start, body.span.end - 1) })

export type Outcome =
  /** `holds` is a condition under which alone it went on: `if flag { return x }` leaves `not flag`. */
  { readonly kind: 'went on'; readonly holds?: string } | { readonly kind: 'returned'; readonly value: Value }
const wentOn: Outcome = { kind: 'went on' }

/** Statements in order, in a scope of their own, until one returns. */
export function executeBlock(ctx: Context, block: Block): Outcome {
  let within: Context = { ...ctx, env: ctx.env.child() }
  for (const statement of block.statements) {
    const outcome = execute(within, statement)
    if (outcome.kind === 'returned') return outcome
    if (outcome.holds !== undefined) within = holding(within, outcome.holds)
  }
  return wentOn
}

function execute(ctx: Context, statement: Statement): Outcome {
  switch (statement.kind) {
    case 'Let':
      executeLet(ctx, statement)
      return wentOn
    case 'Var':
      executeVar(ctx, statement)
      return wentOn
    case 'SetStatement':
      executeSet(ctx, statement)
      return wentOn
    case 'Return':
      return {
        kind: 'returned',
        value: statement.value ? expression(ctx, statement.value) : { kind: 'record', fields: new Map() },
      }
    case 'If':
      return executeIf(ctx, statement)
    case 'For':
      return executeFor(ctx, statement)
    case 'Yield':
      yielded(ctx, statement)
      return wentOn
    case 'Debug':
      debug(ctx, statement)
      return wentOn
    default:
      complain(
        ctx,
        'LTM4502',
        statement.span,
        { statement: statementWord(statement), place: 'a function; it belongs to a step or a hook' },
        statement.kind === 'Print' ? { help: 'write `debug e` to see what `e` is here' } : {},
      )
      return wentOn
  }
}

export function statementWord(statement: Statement): string {
  return statement.kind.replace('Statement', '').toLowerCase()
}

/** The value of a `let` or `var`, checked against its type, under its name. */
function declaredValue(
  ctx: Context,
  statement: { readonly type: Let['type']; readonly value: Let['value'] },
  name: string,
): Value {
  const type = statement.type && declaredType(unexpecting(ctx), statement.type)
  if (type?.kind === 'error') return errorValue
  const value = expression(expecting(ctx, type?.kind === 'tensor' ? type.type : undefined), statement.value)
  const checked = type
    ? checkDeclared(ctx, value, type, statement.value.span, `\`${name}\``, statement.type?.span)
    : value
  return named(ctx, checked, name)
}

/** Gives an anonymous tensor the user's name. */
export function named(ctx: Context, value: Value, name: string): Value {
  return value.kind === 'tensor' ? { ...value, name: ctx.region.rename(value.name, name) } : value
}

export function executeLet(ctx: Context, statement: Let): void {
  if (!statement.record) {
    const [name] = statement.names
    if (name) declare(ctx, name, declaredValue(ctx, statement, name.text))
    return
  }
  const value = recordOf(ctx, expression(unexpecting(ctx), statement.value), statement.value.span)
  for (const name of statement.names) {
    declare(ctx, name, fieldOf(ctx, value, name.text, name.span))
    const meant =
      value.kind === 'record' && !value.fields.has(name.text) && nearest(name.text, [...value.fields.keys()])
    // What was meant is not known either.
    if (meant) ctx.env.define(meant, errorValue, name.span)
  }
}

/** A value that is taken apart by names. */
export function recordOf(ctx: Context, value: Value, span: Span): Value {
  if (value.kind === 'record' || value.kind === 'error') return value
  return complain(ctx, 'LTM2109', span, { wanted: 'a record', got: describe(value) })
}

export function fieldOf(ctx: Context, value: Value, name: string, span: Span): Value {
  if (value.kind !== 'record') return errorValue
  const names = [...value.fields.keys()]
  return (
    value.fields.get(name) ??
    complain(ctx, 'LTM3003', span, {
      object: describe(value),
      name,
      near: nearest(name, names),
      has: names.length > 0 ? `it has ${names.map(each => `\`${each}\``).join(', ')}` : '',
    })
  )
}

export function executeVar(ctx: Context, statement: Var): void {
  const { name } = statement
  declare(ctx, name, declaredValue(ctx, statement, name.text), { mutable: true })
}

export function executeSet(ctx: Context, statement: SetStatement): void {
  const { target } = statement
  if (!('kind' in target)) {
    const value = recordOf(ctx, expression(unexpecting(ctx), statement.value), statement.value.span)
    for (const name of target) assign(ctx, name.text, fieldOf(ctx, value, name.text, name.span), name.span)
    return
  }
  const change = changeOf(ctx, target, statement.value)
  if (change) assign(ctx, change.name.text, change.value, change.name.span)
}

function assign(ctx: Context, name: string, value: Value, span: Span): void {
  const binding = ctx.env.lookup(name)
  if (!binding) return void complain(ctx, 'LTM3001', span, { name, near: nearest(name, ctx.env.names()) })
  const { value: old } = binding
  if (old.kind === 'error') return
  if (old.kind === 'param' && isBuffer(old.spec)) return setBuffer(ctx, old.path, old.spec, value, span)
  if (!binding.mutable) {
    return void complain(
      ctx,
      'LTM3009',
      span,
      { name },
      binding.span ? { labels: [{ span: binding.span, text: 'declared here' }] } : {},
    )
  }
  ctx.env.assign(name, named(ctx, value, name))
}

function executeIf(ctx: Context, statement: If): Outcome {
  const decided = conditionOf(
    ctx,
    expression(unexpecting(ctx), statement.condition),
    statement.condition.span,
  )
  // A condition with an error may be either: both branches are checked.
  if (decided === 'error') return executeBoth(holdingAny(ctx), statement)
  if (decided !== undefined)
    return decided
      ? executeBlock(ctx, statement.then)
      : statement.otherwise
        ? executeBlock(ctx, statement.otherwise)
        : wentOn
  if (!ctx.generic) {
    complain(
      ctx,
      'LTM2109',
      statement.condition.span,
      { wanted: 'a condition that is known when the program is compiled', got: 'decided while it runs' },
      { help: 'for tensors write `where(condition, a, b)`' },
    )
    return { kind: 'returned', value: errorValue }
  }
  return executeBoth(ctx, statement)
}

/** In a definition either branch may be taken; each is checked where its condition holds. */
function executeBoth(ctx: Context, statement: If): Outcome {
  const condition = textOf(statement.condition.span)
  const then = executeBlock(holding(ctx, condition), statement.then)
  const otherwise = statement.otherwise
    ? executeBlock(holding(ctx, `not (${condition})`), statement.otherwise)
    : wentOn
  if (then.kind !== 'returned' || otherwise.kind !== 'returned') {
    if (then.kind === 'returned') return { kind: 'went on', holds: `not (${condition})` }
    return otherwise.kind === 'returned' ? { kind: 'went on', holds: condition } : wentOn
  }
  return { kind: 'returned', value: eitherOf(then.value, otherwise.value) }
}

/** What is known of a value that is one of two. */
export function eitherOf(a: Value, b: Value): Value {
  return a.kind === 'tensor' && b.kind === 'tensor' && sameType(a.type, b.type) ? a : errorValue
}

function yielded(ctx: Context, statement: Yield): void {
  const value = expression(unexpecting(ctx), statement.value)
  if (ctx.round) ctx.round(value, statement.span)
  else
    complain(ctx, 'LTM4502', statement.span, {
      statement: 'yield',
      place: 'this block; it belongs to a loop over an axis, `for … in along(…)`',
    })
}

/** Over an axis of tensors a loop is a scan; over a list or a literal range it is unrolled. */
function executeFor(ctx: Context, statement: For): Outcome {
  const columns = columnsOf(unexpecting(ctx), statement.iterable)
  if (columns.some(column => column.kind === 'sequence')) {
    scan(ctx, statement, columns, 'nothing')
    return wentOn
  }
  const rounds = iterate(unexpecting(ctx), statement.names, statement.iterable, columns)
  if (rounds === 'error') {
    const env = ctx.env.child()
    for (const name of statement.names) env.define(name.text, errorValue, name.span)
    executeBlock({ ...ctx, env }, statement.body)
    return wentOn
  }
  for (const bind of rounds.bindings) {
    const env = ctx.env.child()
    bind(env)
    const outcome = executeBlock({ ...ctx, env }, statement.body)
    if (outcome.kind === 'returned') return outcome
  }
  return wentOn
}
