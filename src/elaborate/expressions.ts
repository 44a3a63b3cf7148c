import { textOf } from '../base/source.ts'
import type { HostExpr } from '../ir/ir.ts'
import type {
  Cast,
  Comprehension,
  Conditional,
  Expr,
  For,
  ListLiteral,
  Name,
  NumberLiteral,
  Pipe,
  Range,
  RecordLiteral,
} from '../syntax/ast.ts'
import { newBindings, unifyShape } from '../types/unify.ts'
import { call, callValue } from './calls.ts'
import { holding } from './conditions.ts'
import { type Context, complain } from './context.ts'
import { describe } from './describe.ts'
import { clockUnits } from './durations.ts'
import { expecting, unexpecting } from './evaluate.ts'
import { choose, sizeExpr } from './host.ts'
import { index } from './indexing.ts'
import { columnsOf, iterate } from './iteration.ts'
import { member } from './members.ts'
import { conditionHolds, settle, unknownName } from './naming.ts'
import { binary, conditionOf, unary } from './operators.ts'
import { pattern } from './patterns.ts'
import { predeclared } from './predeclared.ts'
import { scan } from './scan.ts'
import { eitherOf } from './statements.ts'
import { requireEqual } from './tensors.ts'
import { declaredType, showDeclared } from './types.ts'
import { bool, errorValue, float, int, type Value } from './values.ts'

/** `for … in along(…) { … yield e }`: what all rounds yield, put together. */
function loop(ctx: Context, node: For): Value {
  const columns = columnsOf(ctx, node.iterable)
  if (columns.some(column => column.kind === 'error')) return errorValue
  if (columns.some(column => column.kind === 'sequence')) return scan(ctx, node, columns, 'value')
  return complain(
    ctx,
    'LTM2109',
    node.iterable.span,
    { wanted: 'a sequence, as in `along(x, axis: 1)`', got: describe(columns[0] ?? errorValue) },
    { help: 'a list of values is written `[VALUE for NAME in LIST]`' },
  )
}

/** The value of an expression: one short function per kind. `ctx.expected` reaches through arithmetic to calls that need a shape. */
export function expression(ctx: Context, node: Expr): Value {
  switch (node.kind) {
    case 'NumberLiteral':
      return numberLiteral(ctx, node)
    case 'StringLiteral':
      return { kind: 'string', text: node.text, file: node.span.source.name }
    case 'BoolLiteral':
      return bool(node.value)
    case 'Name':
      return name(ctx, node)
    case 'Binary':
      return binary(ctx, node)
    case 'Unary':
      return unary(ctx, node)
    case 'Conditional':
      return conditional(ctx, node)
    case 'Lambda':
      return { kind: 'lambda', declaration: node, env: ctx.env }
    case 'For':
      return loop(unexpecting(ctx), node)
    case 'Range':
      return range(unexpecting(ctx), node)
    case 'Pipe':
      return pipe(unexpecting(ctx), node)
    case 'Cast':
      return cast(ctx, node)
    case 'Call':
      return call(ctx, node)
    case 'Member':
      return member(ctx, node)
    case 'Index':
      return index(unexpecting(ctx), node)
    case 'RecordLiteral':
      return record(unexpecting(ctx), node)
    case 'ListLiteral':
      return list(unexpecting(ctx), node)
    case 'Comprehension':
      return comprehension(unexpecting(ctx), node)
    case 'Pattern':
      return pattern(unexpecting(ctx), node, undefined)
    case 'ErrorExpr':
      return errorValue
  }
}

function numberLiteral(ctx: Context, node: NumberLiteral): Value {
  const fits = node.integer ? Number.isSafeInteger(node.value) : Number.isFinite(node.value)
  if (!fits) return complain(ctx, 'LTM2131', node.span, { text: textOf(node.span) })
  if (node.unit) return { kind: 'duration', ...clockUnits(node.value, node.unit), of: node.of?.text }
  if (node.of) return complain(ctx, 'LTM4506', node.span, { count: node.value, of: node.of.text })
  return node.integer ? int(node.value) : float(node.value)
}

function name(ctx: Context, node: Name): Value {
  const binding = ctx.env.lookup(node.text)
  if (!binding) return predeclared(ctx, node) ?? unknownName(ctx, node)
  return conditionHolds(ctx, binding, node) ? settle(ctx, binding.value, node.span) : errorValue
}

/** `if c then a else b`: decided by the compiler where it can be; else a host number, or an error for tensors. */
function conditional(ctx: Context, node: Conditional): Value {
  const condition = expression(unexpecting(ctx), node.condition)
  const decided = conditionOf(ctx, condition, node.condition.span)
  if (decided === 'error') return errorValue
  if (decided !== undefined) return expression(ctx, decided ? node.then : node.otherwise)
  const text = textOf(node.condition.span)
  const then = expression(holding(ctx, text), node.then)
  const otherwise = expression(holding(ctx, `not (${text})`), node.otherwise)
  if (then.kind === 'error' || otherwise.kind === 'error' || condition.kind !== 'bool') return errorValue
  // A size of its own, of which only an instance knows more.
  if (ctx.generic && then.kind === 'int' && otherwise.kind === 'int')
    return int(ctx.region.fresh('size').replaceAll('.', '_'))
  const a = hostExprOf(then)
  const b = hostExprOf(otherwise)
  if (a && b) return { kind: 'float', expr: choose(condition.expr, a, b) }
  if (then.kind === 'bool' && otherwise.kind === 'bool')
    return { kind: 'bool', expr: choose(condition.expr, then.expr, otherwise.expr) }
  if (then.kind !== 'tensor' && otherwise.kind !== 'tensor')
    return complain(
      ctx,
      'LTM2120',
      node.span,
      { condition: text },
      {
        labels: [
          { span: node.then.span, text: `this is ${describe(then)}` },
          { span: node.otherwise.span, text: `this is ${describe(otherwise)}` },
        ],
      },
    )
  if (ctx.generic) return eitherOf(then, otherwise)
  return complain(
    ctx,
    'LTM2109',
    node.condition.span,
    { wanted: 'a condition that is known when the program is compiled', got: 'decided while it runs' },
    { help: 'for tensors write `where(condition, a, b)`' },
  )
}

function hostExprOf(value: Value): HostExpr | undefined {
  if (value.kind === 'float') return value.expr
  if (value.kind === 'int') return sizeExpr(value.dim)
  return undefined
}

function range(ctx: Context, node: Range): Value {
  const from = node.from ? expression(ctx, node.from) : int(0)
  const to = node.to ? expression(ctx, node.to) : errorValue
  if (from.kind === 'error' || to.kind === 'error') return errorValue
  if (from.kind !== 'int')
    return complain(ctx, 'LTM2109', node.from?.span ?? node.span, { wanted: 'an int', got: describe(from) })
  if (to.kind !== 'int')
    return complain(ctx, 'LTM2109', node.to?.span ?? node.span, { wanted: 'an int', got: describe(to) })
  return { kind: 'range', from: from.dim, to: to.dim }
}

/** `x |> f(2)`: the value goes first. */
function pipe(ctx: Context, node: Pipe): Value {
  const value = expression(ctx, node.value)
  const { stage } = node
  if (stage.kind === 'Pattern') return pattern(ctx, stage, { value, span: node.value.span })
  const piped = { value, span: node.value.span }
  if (stage.kind === 'Call') return call(ctx, stage, piped)
  if (stage.kind === 'Name' || stage.kind === 'Member')
    return call(ctx, { callee: stage, args: [], span: stage.span }, piped)
  return callValue(ctx, expression(ctx, stage), { args: [], span: stage.span, shown: 'this' }, piped)
}

/** `x :> f32[n, 3]`: asserts, never converts. */
function cast(ctx: Context, node: Cast): Value {
  const type = declaredType(ctx, node.type, new Set())
  const value = expression(type.kind === 'tensor' ? expecting(ctx, type.type) : ctx, node.value)
  if (value.kind === 'error' || type.kind === 'error') return errorValue
  if (value.kind === 'tensor' && type.kind === 'tensor' && value.type.dtype === type.type.dtype) {
    const { shape } = type.type
    const matched = unifyShape(shape, new Set(), value.type.shape, newBindings())
    const { span } = node.value
    if (matched.ok && !matched.obligations.every(([left, right]) => requireEqual(ctx, left, right, span)))
      return errorValue
    if (matched.ok) return ctx.generic ? { ...value, type: type.type } : value
  }
  return complain(ctx, 'LTM2102', node.value.span, {
    what: 'the assertion',
    expected: showDeclared(type),
    got: describe(value),
  })
}

function record(ctx: Context, node: RecordLiteral): Value {
  const fields = new Map<string, Value>()
  for (const field of node.fields) {
    if (fields.has(field.name.text))
      complain(ctx, 'LTM3002', field.span, { name: field.name.text, what: 'record' })
    fields.set(field.name.text, expression(ctx, field.value))
  }
  return { kind: 'record', fields }
}

function list(ctx: Context, node: ListLiteral): Value {
  return { kind: 'list', items: node.items.map(item => expression(ctx, item)) }
}

function comprehension(ctx: Context, node: Comprehension): Value {
  const rounds = iterate(ctx, node.names, node.iterable)
  if (rounds === 'error') {
    const env = ctx.env.child()
    for (const name of node.names) env.define(name.text, errorValue, name.span)
    expression({ ...ctx, env }, node.item)
    return errorValue
  }
  const items = rounds.bindings.map(bind => {
    const env = ctx.env.child()
    bind(env)
    return expression({ ...ctx, env }, node.item)
  })
  if (rounds.length === undefined) return { kind: 'list', items }
  return { kind: 'uniform_list', name: '_', item: items[0] ?? errorValue, length: rounds.length }
}
