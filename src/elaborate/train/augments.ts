import { nearest } from '../../base/names.ts'
import { textOf } from '../../base/source.ts'
import type { DataField, Dataset, DType, FuncParam } from '../../ir/ir.ts'
import type { Augment, Dataset as DatasetDeclaration, Expr } from '../../syntax/ast.ts'
import { children } from '../../syntax/walk.ts'
import { sameShape, type TensorType } from '../../types/tensor.ts'
import { type Context, complain, originOf } from '../context.ts'
import { expression } from '../evaluate.ts'
import { FunctionRegion, functionFrom } from '../functionRegion.ts'
import { datasetCalls } from '../surface.ts'
import type { TensorValue } from '../values.ts'
import { checkDraws } from './draws.ts'
import { mixesExamples } from './rows.ts'
import { rows } from './table.ts'
import { wrongField } from './wrongField.ts'

/** A region whose draws belong to the field that is being replaced. */
class AugmentRegion extends FunctionRegion {
  readonly params: FuncParam[] = []
  site = ''

  add(name: string, type: TensorType): TensorValue {
    const value = this.fresh(name.replace('.', '_'))
    this.params.push({ name: value, type })
    return { kind: 'tensor', name: value, type, span: undefined }
  }

  override place(name: string): string {
    return super.place(`${this.site}.${name}`)
  }
}

/**
 * `augment image = …`: another value of a field in training batches, from the fields as they were and from fits. All of
 * them are one function of a batch.
 */
export function augmentOf(
  ctx: Context,
  declaration: DatasetDeclaration,
  fields: readonly DataField[],
  fits: Dataset['fits'],
): string | undefined | 'wrong' {
  const augments = declaration.members.filter((member): member is Augment => member.kind === 'Augment')
  const [first] = augments
  if (!first) return undefined
  const region = new AugmentRegion()
  const env = ctx.env.child()
  for (const field of fields) defineField(env, region, field)
  for (const fit of fits) env.define(fit.name, region.add(fit.name, fit.type))
  const within: Context = { ...ctx, env, region }
  const results = new Map<string, TensorValue>()
  for (const augment of augments) {
    const field = fieldOf(ctx, augment, fields, results)
    const value = field && replaced(within, region, augment, field)
    if (!field || !value) return 'wrong'
    results.set(field.name, value)
  }
  const mixed = mixesExamples(region.steps, rows, region.params)
  const culprit = mixed && (augments.find(item => originOf(item.span).line >= mixed.line) ?? first)
  if (culprit) {
    complain(ctx, 'LTM4305', culprit.value.span, { field: culprit.name.text })
    return 'wrong'
  }
  if (!checkDraws(ctx, region.steps, first.value.span)) return 'wrong'
  const func = functionFrom(ctx, region, {
    name: `${declaration.name.text}.augment`,
    declaration: `${declaration.name.text}.augment`,
    role: 'fields',
    span: first.span,
    result: { kind: 'record', fields: results },
    params: region.params,
  })
  return func.name
}

/** `x`, and where it is ragged `x.mask` and `x.length`. */
function defineField(env: Context['env'], region: AugmentRegion, { name, type, ragged }: DataField): void {
  const value = region.add(name, { ...type, shape: [rows, ...type.shape] })
  const [size] = type.shape
  const part = (of: string, dtype: DType, shape: TensorType['shape']): readonly [string, TensorValue] => [
    of,
    region.add(`${name}.${of}`, { dtype, shape }),
  ]
  if (!ragged || size === undefined) return env.define(name, value)
  const parts = new Map([part('mask', 'bool', [rows, size]), part('length', 'i32', [rows])])
  env.define(name, { ...value, parts })
}

function fieldOf(
  ctx: Context,
  { name, value, span }: Augment,
  fields: readonly DataField[],
  before: ReadonlyMap<string, unknown>,
): DataField | undefined {
  const field = fields.find(each => each.name === name.text)
  const call = columnCall(value)
  if (call) return void complain(ctx, 'LTM4340', call.span, { call: textOf(call.span) })
  if (!field) {
    const near = nearest(
      name.text,
      fields.map(each => each.name),
    )
    return void complain(ctx, 'LTM4338', name.span, { name: name.text, near })
  }
  if (before.has(field.name)) return void complain(ctx, 'LTM3002', span, { name: name.text, what: 'dataset' })
  return field
}

function columnCall(node: Parameters<typeof children>[0]): Expr | undefined {
  if (node.kind === 'Call' && node.callee.kind === 'Name' && datasetCalls.includes(node.callee.text))
    return node
  for (const child of children(node)) {
    const found = columnCall(child)
    if (found) return found
  }
  return undefined
}

function replaced(
  ctx: Context,
  region: AugmentRegion,
  augment: Augment,
  { type }: DataField,
): TensorValue | undefined {
  region.site = augment.name.text
  const expected: TensorType = { dtype: type.dtype, shape: [rows, ...type.shape] }
  const value = expression({ ...ctx, expected }, augment.value)
  if (value.kind === 'error') return undefined
  const fits = value.kind === 'tensor' && sameShape(value.type.shape, expected.shape)
  if (fits && value.type.dtype === type.dtype) return value
  return wrongField(ctx, augment, type, value)
}
