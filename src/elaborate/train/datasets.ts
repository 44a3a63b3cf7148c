import { nearest } from '../../base/names.ts'
import { type Span, textOf } from '../../base/source.ts'
import type { DataField, Dataset } from '../../ir/ir.ts'
import type { Arg, Data, Dataset as DatasetDeclaration, Field, Fit, Split } from '../../syntax/ast.ts'
import { compareDims, product } from '../../types/dim.ts'
import { sameShape, showType, type TensorType } from '../../types/tensor.ts'
import { type Context, complain, isBroken, originOf } from '../context.ts'
import { describe } from '../describe.ts'
import { expression } from '../evaluate.ts'
import { bindFormals } from '../formals.ts'
import { functionFrom } from '../functionRegion.ts'
import { applyOperator } from '../tensors.ts'
import { type DataMember, errorValue, knownNumber, type TensorValue, type Value } from '../values.ts'
import { augmentOf } from './augments.ts'
import { withInserted } from './dataPath.ts'
import { checkDraws } from './draws.ts'
import { filterOf } from './filters.ts'
import { type Loading, loadingOf, ordinaryLoading } from './loading.ts'
import { isSize, type MemberType, memberType } from './memberTypes.ts'
import { mixesExamples, mixesPlaces } from './rows.ts'
import { sourceOf } from './sources.ts'
import { standardsOf } from './standardizing.ts'
import { type Columns, columnsOf, rows, type Standards, tableContext } from './table.ts'
import { isVocabulary, vocabulariesOf } from './vocabularies.ts'
import { wrongField } from './wrongField.ts'

/** A dataset on its own, where it needs no arguments. */
export function checkDataset(ctx: Context, declaration: DatasetDeclaration): void {
  if (!declaration.formals.every(formal => formal.value)) return
  const site = { args: [], span: declaration.name.span, shown: declaration.name.text }
  const args = bindFormals(ctx, declaration.formals, site, undefined, ctx.env)
  const made = { name: declaration.name.text, origin: originOf(declaration.span) }
  if (!args || !datasetOf(ctx, declaration, made, ordinaryLoading)) ctx.world.broken.add(declaration.id)
}

/** `data digits = Digits(batch: 64)`. */
export function elaborateData(ctx: Context, member: Data): Dataset | undefined {
  const call = member.value
  const callee = call.kind === 'Call' ? expression(ctx, call.callee) : expression(ctx, call)
  if (callee.kind === 'error') return undefined
  if (call.kind !== 'Call' || callee.kind !== 'declaration' || callee.declaration.kind !== 'Dataset') {
    complain(ctx, 'LTM2109', call.span, {
      wanted: 'a dataset, as in `Digits(batch: 64)`',
      got: describe(callee),
    })
    return undefined
  }
  const { declaration } = callee
  const env = callee.env.child()
  const own = declaration.formals.map(formal => formal.name.text)
  const isLoading = (arg: Arg): boolean => arg.kind === 'Named' && !own.includes(arg.name.text)
  const given = call.args.filter(arg => !isLoading(arg)).map(arg => withInserted(ctx, arg))
  if (!given.every(arg => arg !== undefined)) return undefined
  const args = bindFormals(
    ctx,
    declaration.formals,
    {
      args: given,
      span: call.span,
      shown: declaration.name.text,
      declaration,
    },
    undefined,
    env,
  )
  const loading = loadingOf(ctx, call, call.args.filter(isLoading), own)
  if (!args || !loading || isBroken(ctx, declaration.id)) return undefined
  const within: Context = { ...ctx, env, instantiations: [{ span: call.span, text: 'made here' }] }
  return datasetOf(within, declaration, { name: member.name.text, origin: originOf(member.span) }, loading)
}

function datasetOf(
  ctx: Context,
  declaration: DatasetDeclaration,
  made: Pick<Dataset, 'name' | 'origin'>,
  loading: Loading,
): Dataset | undefined {
  const source = sourceOf(ctx, declaration.source)
  if (!source) return undefined
  const types = typesOf(ctx, declaration)
  const vocabularies = vocabulariesOf(ctx, declaration.members, source)
  const columns = columnsOf(ctx, declaration.members, source, types, vocabularies)
  const own: Dataset['fits'][number][] = []
  const filters: Dataset['filters'][number][] = []
  const failed = new Set<string>()
  const fields: TypedField[] = []
  const names = new Map<string, Span>()
  for (const item of declaration.members) {
    if (item.kind === 'Fit' || item.kind === 'Field') checkName(ctx, item, names)
    if (item.kind === 'Fit' && isVocabulary(item)) {
      if (!vocabularies.get(item.name.text)) failed.add(item.name.text)
    } else if (item.kind === 'Fit') {
      const fit = fitOf(ctx, declaration, item, types.get(item)?.type, columns, own, failed)
      if (fit) own.push(fit)
      else failed.add(item.name.text)
    } else if (item.kind === 'Field') {
      const type = types.get(item)
      if (type) fields.push({ field: item, ...type })
      else failed.add(item.name.text)
    }
  }
  for (const item of declaration.members) {
    if (item.kind !== 'Filter') continue
    const filter = filterOf(ctx, declaration, item, columns, failed, (within, field) => {
      const type = types.get(field)
      return type && fieldValue(within, field, type.type)?.tensor
    })
    if (filter) filters.push(filter)
    else failed.add('a filter')
  }
  const { fits, standards } = standardsOf(ctx, declaration, columns, own, failed)
  const func = fieldsFunction(ctx, declaration, fields, { columns, fits, standards }, failed)
  const split = splitOf(
    ctx,
    declaration.members.find((item): item is Split => item.kind === 'Split'),
    declaration.members.flatMap(item => (item.kind === 'Field' ? [item.name.text] : [])),
  )
  if (!func || !split || failed.size > 0) return undefined
  const augment = augmentOf(ctx, declaration, func.fields, fits)
  if (augment === 'wrong') return undefined
  return {
    ...made,
    declaration: declaration.name.text,
    source,
    columns: columns.list,
    vocabularies: columns.vocabularies,
    fits,
    filters,
    func: func.name,
    fields: func.fields,
    ...(augment === undefined ? {} : { augment }),
    ...split,
    ...loading,
    counts: [],
  }
}

/** What a program may ask of a dataset before it is read. */
export function dataMembers(
  { fields, vocabularies, fits }: Dataset,
  { members }: DatasetDeclaration,
): ReadonlyMap<string, DataMember> {
  const sizes = members.flatMap(item => (item.kind === 'Fit' && isSize(item) ? [item.name.text] : []))
  return new Map<string, DataMember>([
    ...fields.map(({ name, type }): [string, DataMember] => [
      name,
      type.dtype === 'i32' ? 'many' : { uncounted: `\`${showType(type)}\`` },
    ]),
    ...vocabularies.map(({ name }): [string, DataMember] => [name, 'many']),
    ...fits.map(({ name, type }): [string, DataMember] => [
      name,
      sizes.includes(name) ? 'size' : { uncounted: `a fit, \`${showType(type)}\`` },
    ]),
  ])
}

function checkName(ctx: Context, { name }: Field | Fit, names: Map<string, Span>): void {
  const before = names.get(name.text)
  if (before)
    complain(
      ctx,
      'LTM3002',
      name.span,
      { name: name.text, what: 'dataset' },
      { labels: [{ span: before, text: 'the other one' }] },
    )
  names.set(name.text, name.span)
}

function fitOf(
  ctx: Context,
  declaration: DatasetDeclaration,
  fit: Fit,
  type: TensorType | undefined,
  columns: Columns,
  fits: Dataset['fits'],
  failed: ReadonlySet<string>,
): Dataset['fits'][number] | undefined {
  const table = tableContext(ctx, columns, fits, failed)
  const value = type ? expression({ ...table.ctx, expected: type }, fit.value) : errorValue
  if (!type || value.kind === 'error') return undefined
  if (value.kind === 'tensor' && value.type.shape.includes(rows))
    return void complain(ctx, 'LTM4308', fit.value.span, { name: fit.name.text })
  if (
    value.kind !== 'tensor' ||
    value.type.dtype !== type.dtype ||
    !sameShape(value.type.shape, type.shape)
  ) {
    const expected = isSize(fit) ? 'int' : showType(type)
    const help = isSize(fit)
      ? `\`i32(${textOf(fit.value.span)})\` converts a number to a whole one`
      : undefined
    return void complain(
      ctx,
      'LTM2115',
      fit.value.span,
      { name: `\`${fit.name.text}\``, expected, got: describe(value) },
      { help },
    )
  }
  if (table.region.drawsRandom)
    return void complain(ctx, 'LTM4341', fit.value.span, { what: 'stands in a fit' })
  const func = functionFrom(ctx, table.region, {
    name: `${declaration.name.text}.${fit.name.text}`,
    declaration: fit.name.text,
    role: 'fields',
    span: fit.span,
    result: value,
    params: table.region.params,
  })
  return { name: fit.name.text, type, func: func.name, origin: originOf(fit.span) }
}

interface TypedField extends MemberType {
  readonly field: Field
}

/** The declared types of fields and fits; a member is left out where its type is wrong. */
function typesOf(
  ctx: Context,
  { members }: DatasetDeclaration,
): ReadonlyMap<DatasetDeclaration['members'][number], MemberType> {
  const types = new Map<DatasetDeclaration['members'][number], MemberType>()
  for (const member of members) {
    if ((member.kind !== 'Field' && member.kind !== 'Fit') || isVocabulary(member)) continue
    const type = memberType(ctx, member)
    if (type) types.set(member, type)
  }
  return types
}

/** What fields are computed from. */
interface Learned {
  readonly columns: Columns
  readonly fits: Dataset['fits']
  readonly standards: Standards
}

function fieldsFunction(
  ctx: Context,
  declaration: DatasetDeclaration,
  fields: readonly TypedField[],
  { columns, fits, standards }: Learned,
  failed: ReadonlySet<string>,
): { readonly name: string; readonly fields: readonly DataField[] } | undefined {
  const table = tableContext(ctx, columns, fits, failed, standards)
  const results = new Map<string, Value>()
  const described: DataField[] = []
  let good = true
  for (const { field, type, ragged } of fields) {
    table.region.site = field.name.text
    const drawn = table.region.steps.length
    const value = fieldValue(table.ctx, field, type)
    if (value && !checkDraws(ctx, table.region.steps.slice(drawn), field.value.span)) good = false
    if (!value) {
      good = false
      continue
    }
    results.set(field.name.text, value.tensor)
    described.push({
      name: field.name.text,
      type,
      whole: value.whole,
      ...(ragged ? { ragged } : {}),
      origin: originOf(field.span),
    })
  }
  if (!good) return undefined
  const mixed = mixesExamples(table.region.steps, rows, table.region.params)
  if (mixed) {
    const field = fields.find(item => originOf(item.field.span).line <= mixed.line) ?? fields[0]
    if (field) complain(ctx, 'LTM4305', field.field.value.span, { field: field.field.name.text })
    return undefined
  }
  const apart = fields.find(
    ({ type, ragged }) => ragged && mixesPlaces(table.region.params, table.region.steps, type.shape[0]),
  )
  if (apart)
    return void complain(ctx, 'LTM4336', apart.field.value.span, {
      field: apart.field.name.text,
      size: String(apart.type.shape[0]),
    })
  const func = functionFrom(ctx, table.region, {
    name: `${declaration.name.text}.fields`,
    declaration: declaration.name.text,
    role: 'fields',
    span: declaration.span,
    result: { kind: 'record', fields: results },
    params: table.region.params,
  })
  return { name: func.name, fields: described }
}

/** A field's value laid out in its declared shape; numbers become integers or booleans where those are declared. */
function fieldValue(
  ctx: Context,
  field: Field,
  type: TensorType,
): { readonly tensor: TensorValue; readonly whole: boolean } | undefined {
  const value = expression(
    { ...ctx, expected: { dtype: type.dtype, shape: [rows, ...type.shape] } },
    field.value,
  )
  if (value.kind === 'error') return undefined
  const shape = [rows, ...type.shape]
  if (value.kind !== 'tensor' || value.type.shape[0] !== rows) return wrongField(ctx, field, type, value)
  const fits = compareDims(product(value.type.shape.slice(1)), product(type.shape)) === 'equal'
  if (!fits || (value.type.dtype !== type.dtype && value.type.dtype !== 'f32'))
    return wrongField(ctx, field, type, value)
  const laid = sameShape(value.type.shape, shape)
    ? value
    : applyOperator(ctx, 'reshape', [value], { shape }, field.value.span)
  if (laid.kind === 'error') return undefined
  if (laid.type.dtype === type.dtype) return { tensor: renamed(ctx, laid, field), whole: false }
  const cast = applyOperator(ctx, 'cast', [laid], { dtype: type.dtype }, field.value.span)
  return cast.kind === 'error' ? undefined : { tensor: renamed(ctx, cast, field), whole: true }
}

const renamed = (ctx: Context, value: TensorValue, field: Field): TensorValue => ({
  ...value,
  name: ctx.region.rename(value.name, field.name.text),
})

/** `split train: 0.8, val: 0.2, by: label`. */
function splitOf(
  ctx: Context,
  node: Split | undefined,
  fields: readonly string[],
): Pick<Dataset, 'split' | 'stratify' | 'group'> | undefined {
  if (!node) return { split: [] }
  const split: { readonly name: string; readonly share: number }[] = []
  const fieldsOf = new Map<string, string>()
  for (const part of node.parts) {
    if (part.key.text === 'by' || part.key.text === 'group') {
      const name = part.value.kind === 'Name' ? part.value.text : ''
      if (!fields.includes(name))
        return void complain(ctx, 'LTM3001', part.value.span, {
          name: textOf(part.value.span),
          near: nearest(name, fields),
        })
      fieldsOf.set(part.key.text, name)
      continue
    }
    const value = expression(ctx, part.value)
    if (value.kind === 'error') return undefined
    const share = knownNumber(value)
    if (share === undefined || share < 0)
      return void complain(ctx, 'LTM2102', part.value.span, {
        what: `\`${part.key.text}\``,
        expected: 'a share between 0 and 1',
        got: textOf(part.value.span),
      })
    split.push({ name: part.key.text, share })
  }
  const total = split.reduce((sum, part) => sum + part.share, 0)
  if (total > 1 + 1e-9)
    return void complain(ctx, 'LTM4302', node.span, { got: String(Number(total.toPrecision(6))) })
  const [stratify, group] = [fieldsOf.get('by'), fieldsOf.get('group')]
  if (stratify !== undefined && group !== undefined)
    return void complain(ctx, 'LTM2109', node.span, { wanted: 'one of `by:` and `group:`', got: 'both' })
  return {
    split,
    ...(stratify === undefined ? {} : { stratify }),
    ...(group === undefined ? {} : { group }),
  }
}
