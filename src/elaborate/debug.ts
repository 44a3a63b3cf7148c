import { textOf } from '../base/source.ts'
import type { HostExpr } from '../ir/ir.ts'
import type { Debug } from '../syntax/ast.ts'
import { type Context, complain, originOf } from './context.ts'
import { describe } from './describe.ts'
import { expression, unexpecting } from './evaluate.ts'
import { hostNumber } from './operators.ts'
import type { Value } from './values.ts'

/** `debug e`: a step that shows the value, under the text of the expression; several for the parts of a record or a list. */
export function debug(ctx: Context, node: Debug): void {
  // The fields of a record that is written out here have their own names.
  const label = node.value.kind === 'RecordLiteral' ? '' : textOf(node.value.span).replace(/\s+/g, ' ')
  show(ctx, node, label, expression(unexpecting(ctx), node.value))
}

function show(ctx: Context, node: Debug, label: string, value: Value): void {
  switch (value.kind) {
    case 'error':
      return
    case 'tensor':
      return add(ctx, node, label, value.name)
    case 'bool':
    case 'run_string':
      return add(ctx, node, label, value.expr)
    case 'string':
      return add(ctx, node, label, { kind: 'string', value: value.text })
    case 'record':
      for (const [name, field] of value.fields)
        show(ctx, node, label === '' ? name : `${label}.${name}`, field)
      return
    case 'list':
      for (const [i, item] of value.items.entries()) show(ctx, node, `${label}[${i}]`, item)
      return
    default: {
      const number = hostNumber(value)
      if (number) return add(ctx, node, label, number.expr)
      // How long it is, and what is in it, an instance knows.
      if (value.kind === 'uniform_list') return
      complain(ctx, 'LTM2109', node.value.span, {
        wanted: 'a tensor, a number, a text, or a record or list of these',
        got: describe(value),
      })
    }
  }
}

function add(ctx: Context, { span }: Debug, label: string, shown: string | HostExpr): void {
  const tensor = typeof shown === 'string'
  ctx.region.push({
    op: 'debug',
    inputs: tensor ? [shown] : [],
    attrs: tensor ? { label } : { label, value: shown },
    outputs: [],
    origin: originOf(span),
  })
}
