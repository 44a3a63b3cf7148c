import type { Dataset } from '../../ir/ir.ts'
import type { Dataset as DatasetDeclaration, Expr, Field, Filter } from '../../syntax/ast.ts'
import { children } from '../../syntax/walk.ts'
import { showType, type TensorType } from '../../types/tensor.ts'
import { type Context, complain, originOf } from '../context.ts'
import { describe } from '../describe.ts'
import { expression } from '../evaluate.ts'
import { functionFrom } from '../functionRegion.ts'
import type { TensorValue } from '../values.ts'
import { type Columns, rows, tableContext } from './table.ts'

/** Reads a field's value in a context; undefined where it is wrong, which is reported. */
export type FieldReader = (ctx: Context, field: Field) => TensorValue | undefined

/** `filter label != 9`: computed from columns, and from fields that nothing has to be learned for. */
export function filterOf(
  ctx: Context,
  declaration: DatasetDeclaration,
  filter: Filter,
  columns: Columns,
  failed: ReadonlySet<string>,
  read: FieldReader,
): Dataset['filters'][number] | undefined {
  const learned = learnedIn(declaration, filter.condition)
  if (learned) return void complain(ctx, 'LTM4337', learned.span, { name: learned.name })
  const table = tableContext(ctx, columns, [], failed)
  for (const field of fieldsIn(declaration, filter.condition)) {
    const value = failed.has(field.name.text) ? undefined : read(table.ctx, field)
    if (!value) return undefined
    table.ctx.env.define(field.name.text, value, field.name.span)
  }
  const value = expression(table.ctx, filter.condition)
  if (value.kind === 'error') return undefined
  if (value.kind !== 'tensor' || value.type.dtype !== 'bool' || value.type.shape.join() !== rows)
    return void complain(ctx, 'LTM4339', filter.condition.span, {
      got: value.kind === 'tensor' ? showType(perExample(value.type)) : describe(value),
    })
  const func = functionFrom(ctx, table.region, {
    name: `${declaration.name.text}.filter`,
    declaration: `${declaration.name.text}.filter`,
    role: 'fields',
    span: filter.span,
    result: value,
    params: table.region.params,
  })
  return { func: func.name, origin: originOf(filter.span) }
}

const perExample = ({ dtype, shape }: TensorType): TensorType => ({
  dtype,
  shape: shape[0] === rows ? shape.slice(1) : shape,
})

function fieldsIn({ members }: DatasetDeclaration, condition: Expr): readonly Field[] {
  const named = new Set(namesIn(condition).map(name => name.text))
  return members.filter((member): member is Field => member.kind === 'Field' && named.has(member.name.text))
}

const learning: readonly string[] = ['standardize', 'tokenize', 'encode']

/** What a condition reads that is only known after the split: by its name there, and where it stands. */
function learnedIn(
  declaration: DatasetDeclaration,
  condition: Expr,
): { readonly name: string; readonly span: Expr['span'] } | undefined {
  const fits = declaration.members.flatMap(member => (member.kind === 'Fit' ? [member.name.text] : []))
  const isLearned = (name: string): boolean => learning.includes(name) || fits.includes(name)
  const learnedFields = declaration.members.flatMap(member =>
    member.kind === 'Field' && namesIn(member.value).some(({ text }) => isLearned(text))
      ? [member.name.text]
      : [],
  )
  const found = namesIn(condition).find(({ text }) => isLearned(text) || learnedFields.includes(text))
  return found && { name: found.text, span: found.span }
}

function namesIn(node: Parameters<typeof children>[0]): readonly Extract<Expr, { kind: 'Name' }>[] {
  if (node.kind === 'Name') return [node]
  if (node.kind === 'Member') return namesIn(node.object)
  return node.kind === 'Named' ? namesIn(node.value) : [...children(node)].flatMap(namesIn)
}
