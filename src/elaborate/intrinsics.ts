import { type Span, textOf } from '../base/source.ts'
import type { DType } from '../ir/ir.ts'
import { type Dim, product } from '../types/dim.ts'
import { isRest, type Shape, type TensorType } from '../types/tensor.ts'
import { argumentValue, type CallSite, type Given, type Piped } from './arguments.ts'
import { logDetJacobian } from './constraintCalls.ts'
import { type Context, complain, originOf } from './context.ts'
import { filled } from './conversion.ts'
import { copyOf } from './copies.ts'
import { describe } from './describe.ts'
import { expecting, expression, unexpecting } from './evaluate.ts'
import { keyAt } from './functionCalls.ts'
import { gradient } from './gradient.ts'
import { lengthOf } from './iteration.ts'
import { hostNumber } from './operators.ts'
import { sequence } from './sequence.ts'
import { applyOperator, type OpName, push, toTensor } from './tensors.ts'
import { bool, errorValue, float, int, knownNumber, type Value } from './values.ts'

/** Functions that the table can't say: they take or give what isn't a tensor, or take their shape from where they stand. */
type Intrinsic = (ctx: Context, site: CallSite, piped?: Piped) => Value

export const intrinsics: Readonly<Record<string, Intrinsic>> = {
  len: (ctx, site, piped) => {
    const [list] = values(ctx, site, piped)
    if (!list || list.kind === 'error') return errorValue
    if (list.kind === 'list' || list.kind === 'uniform_list' || list.kind === 'range')
      return int(lengthOf(list))
    return complain(ctx, 'LTM2109', site.span, { wanted: 'a list', got: describe(list) })
  },
  copy: (ctx, site, piped) => {
    const [module] = values(ctx, site, piped)
    return module ? copyOf(ctx, module, site.span) : errorValue
  },
  size: (ctx, site, piped) => {
    const [tensor] = values(ctx, site, piped)
    if (tensor?.kind !== 'tensor')
      return tensor?.kind === 'error' || !tensor
        ? errorValue
        : complain(ctx, 'LTM2109', site.span, { wanted: 'a tensor', got: describe(tensor) })
    return tensor.type.shape.some(isRest) ? errorValue : int(product(tensor.type.shape))
  },
  float: (ctx, site, piped) =>
    hostConversion(
      ctx,
      site,
      piped,
      value => hostNumber(value) && { kind: 'float', expr: hostNumber(value)!.expr },
      'a number',
    ),
  int: (ctx, site, piped) =>
    hostConversion(
      ctx,
      site,
      piped,
      value => {
        const known = knownNumber(value)
        return value.kind === 'int' ? value : known === undefined ? undefined : int(Math.trunc(known))
      },
      'a number that is known when the program is compiled',
    ),
  f32: (ctx, site, piped) => castTo(ctx, 'f32', site, piped),
  i32: (ctx, site, piped) => castTo(ctx, 'i32', site, piped),
  bool: (ctx, site, piped) => castTo(ctx, 'bool', site, piped),
  fill: (ctx, site, piped) => {
    const [value] = values(ctx, site, piped)
    const type = shapeWanted(ctx, site, dtypeOf(ctx, value))
    return value && type ? filled(ctx, value, type, site.span) : errorValue
  },
  normal: (ctx, site, piped) => draw(ctx, 'random_normal', ['mean', 'std'], [0, 1], 'f32', site, piped),
  uniform: (ctx, site, piped) => draw(ctx, 'random_uniform', ['low', 'high'], [0, 1], 'f32', site, piped),
  bernoulli: (ctx, site, piped) => draw(ctx, 'random_bernoulli', ['p'], [0.5], 'bool', site, piped),
  permutation: (ctx, site, piped) => {
    const [count] = values(ctx, site, piped)
    if (count?.kind !== 'int')
      return !count || count.kind === 'error'
        ? errorValue
        : complain(ctx, 'LTM2109', site.span, { wanted: 'an int', got: describe(count) })
    const key = keyAt(ctx, site.shown, site.span)
    const type: TensorType = { dtype: 'i32', shape: [count.dim] }
    return push(ctx, 'random_permutation', [key], { count: count.dim }, type, site.span)
  },
  arange: (ctx, site, piped) => {
    const bounds = values(ctx, site, piped)
    const [count] = bounds
    if (bounds.length !== 1 || count?.kind !== 'int')
      return count?.kind === 'error'
        ? errorValue
        : complain(ctx, 'LTM3006', site.span, {
            callee: 'arange',
            name: 'count',
            signature: 'it is `arange(count: int) -> i32[count]`',
          })
    return applyOperator(ctx, 'arange', [], { from: 0, count: count.dim, dtype: 'i32' }, site.span)
  },
  eye: (ctx, site) => {
    const type = shapeWanted(ctx, site, 'f32')
    if (!type) return errorValue
    const [rows, columns] = type.shape.slice(-2)
    if (rows === undefined || columns === undefined)
      return complain(ctx, 'LTM2105', site.span, { callee: 'eye' })
    const index = applyOperator(ctx, 'arange', [], { from: 0, count: rows, dtype: 'i32' }, site.span)
    const matrix =
      index.kind === 'error'
        ? index
        : applyOperator(ctx, 'one_hot', [index], { depth: columns }, site.span, 'eye')
    return matrix.kind === 'error' || type.shape.length === 2
      ? matrix
      : applyOperator(ctx, 'broadcast_to', [matrix], { shape: type.shape }, site.span, 'eye')
  },
  linspace: (ctx, site, piped) => {
    const [from, to] = values(ctx, site, piped).map(knownNumber)
    const type = shapeWanted(ctx, site, 'f32')
    const [count] = type?.shape ?? []
    if (
      !type ||
      from === undefined ||
      to === undefined ||
      typeof count !== 'number' ||
      type.shape.length !== 1
    ) {
      return type && !ctx.generic ? complain(ctx, 'LTM2105', site.span, { callee: 'linspace' }) : errorValue
    }
    const numbers = Array.from({ length: count }, (_, i) =>
      count === 1 ? from : from + ((to - from) * i) / (count - 1),
    )
    return push(ctx, 'const', [], { value: numbers, dtype: 'f32' }, type, site.span)
  },
  stack: (ctx, site, piped) => {
    const [list] = values(ctx, site, piped)
    const axis = named(ctx, site, 'axis')
    // How many there are only an instance knows.
    if (list?.kind === 'uniform_list') return errorValue
    if (list?.kind !== 'list')
      return list && list.kind !== 'error'
        ? complain(ctx, 'LTM2109', site.span, { wanted: 'a list of tensors', got: describe(list) })
        : errorValue
    return stack(
      ctx,
      list.items,
      axis?.kind === 'int' && typeof axis.dim === 'number' ? axis.dim : 0,
      site.span,
    )
  },
  // A column that is no value was refused when the columns of the dataset were gathered.
  columns: (ctx, site) => ctx.region.column(site.span.start) ?? errorValue,
  column: (ctx, site) => ctx.region.column(site.span.start) ?? errorValue,
  array: (ctx, site) => ctx.region.column(site.span.start) ?? errorValue,
  tokenize: (ctx, site) => ctx.region.column(site.span.start) ?? errorValue,
  encode: (ctx, site) => ctx.region.column(site.span.start) ?? errorValue,
  vocabulary: (ctx, site) => complain(ctx, 'LTM4347', site.span, undefined),
  standardize: (ctx, site, piped) => {
    const [given] = values(ctx, site, piped)
    const standard = ctx.region.standard(site.span.start)
    const x = given && standard ? toTensor(ctx, given, site.span) : errorValue
    if (x.kind === 'error' || !standard) return errorValue
    const centred = applyOperator(ctx, 'sub', [x, standard.mean], {}, site.span, '-')
    return centred.kind === 'error'
      ? centred
      : applyOperator(ctx, 'div', [centred, standard.spread], {}, site.span, '/')
  },
  gradient: (ctx, site, piped) => gradient(ctx, site, piped),
  log_det_jacobian: (ctx, site, piped) => logDetJacobian(ctx, site, piped),
  along: (ctx, site, piped) => {
    const [tensor, axis] = values(ctx, site, piped)
    const at = axis ?? named(ctx, site, 'axis') ?? int(0)
    const reverse = named(ctx, site, 'reverse') ?? bool(false)
    return sequence(ctx, tensor ?? errorValue, at, reverse, site.span)
  },
}

function values(ctx: Context, site: CallSite, piped?: Piped): readonly Value[] {
  const given = site.args.flatMap(arg =>
    arg.kind === 'Positional' ? [expression(unexpecting(ctx), arg.value)] : [],
  )
  return piped ? [piped.value, ...given] : given
}

function named(ctx: Context, site: CallSite, name: string): Value | undefined {
  const arg = site.args.find(item => item.kind === 'Named' && item.name.text === name)
  if (arg?.kind !== 'Named') return undefined
  const given: Given = { kind: 'expr', expr: arg.value, span: arg.value.span }
  return argumentValue(unexpecting(ctx), given)
}

/** A bool fills a tensor of bools, an int one of i32 where that is asked for. */
function dtypeOf(ctx: Context, value: Value | undefined): DType {
  if (value?.kind === 'bool') return 'bool'
  return value?.kind === 'int' && ctx.expected?.dtype === 'i32' ? 'i32' : 'f32'
}

function hostConversion(
  ctx: Context,
  site: CallSite,
  piped: Piped | undefined,
  convert: (value: Value) => Value | undefined,
  wanted: string,
): Value {
  const [value] = values(ctx, site, piped)
  if (!value || value.kind === 'error') return errorValue
  return convert(value) ?? complain(ctx, 'LTM2109', site.span, { wanted, got: describe(value) })
}

function castTo(ctx: Context, dtype: DType, site: CallSite, piped?: Piped): Value {
  const [value] = values(ctx, site, piped)
  if (!value)
    return complain(ctx, 'LTM3006', site.span, {
      callee: dtype,
      name: 'x',
      signature: `it is \`${dtype}(x)\``,
    })
  if (value.kind === 'error') return value
  if (value.kind !== 'tensor') {
    const tensor = toTensor(ctx, value, site.span, dtype)
    return tensor.kind === 'error' || tensor.type.dtype === dtype
      ? tensor
      : applyOperator(ctx, 'cast', [tensor], { dtype }, site.span, dtype)
  }
  return value.type.dtype === dtype ? value : applyOperator(ctx, 'cast', [value], { dtype }, site.span, dtype)
}

/** The shape of a draw or a filled tensor: said by `shape:` or `like:`, or asked for by where it stands. */
function shapeWanted(ctx: Context, site: CallSite, dtype: DType): TensorType | undefined {
  const shape = named(ctx, site, 'shape')
  if (shape?.kind === 'list') {
    const sizes = shape.items.map(item => (item.kind === 'int' ? item.dim : undefined))
    if (sizes.every((size): size is Dim => size !== undefined)) return { dtype, shape: sizes }
  }
  const like = named(ctx, site, 'like')
  if (like?.kind === 'tensor') return { dtype, shape: like.type.shape }
  if (like?.kind === 'error' || shape?.kind === 'error') return undefined
  if (ctx.expected) return { dtype, shape: ctx.expected.shape }
  if (!ctx.generic && !ctx.lost) complain(ctx, 'LTM2105', site.span, { callee: site.shown }, shapeHelp(site))
  return undefined
}

/** A list that stands where no shape is read, as other libraries have it. */
function shapeHelp({ args, shown }: CallSite): { readonly help?: string } {
  const list = args.find(arg => arg.kind === 'Positional' && arg.value.kind === 'ListLiteral')
  if (!list) return {}
  const shape = textOf(list.span)
  return {
    help: `a shape has its name before it: \`${shown}(shape: ${shape})\`; \`like: x\` takes that of \`x\``,
  }
}

/** A draw from the counter-based generator, with a key of its own. */
function draw(
  ctx: Context,
  op: OpName,
  names: readonly string[],
  defaults: readonly number[],
  dtype: DType,
  site: CallSite,
  piped?: Piped,
): Value {
  const type = shapeWanted(ctx, site, dtype)
  const given = values(ctx, site, piped)
  const settings = names.map((name, i): Value => given[i] ?? named(ctx, site, name) ?? float(defaults[i]!))
  if (!type || settings.some(setting => setting.kind === 'error')) return errorValue
  const numbers = settings.map(hostNumber)
  const open = !ctx.generic && settings.some(setting => knownNumber(setting) === undefined)
  if (open || numbers.some(number => !number)) return drawAround(ctx, op, settings, type, site)
  const attrs = Object.fromEntries(
    names.map((name, i) => [name, knownNumber({ ...numbers[i]!, kind: 'float' }) ?? numbers[i]!.expr]),
  )
  const key = keyAt(ctx, site.shown, site.span)
  const value = { name: ctx.region.fresh(site.shown), type }
  ctx.region.push({
    op,
    inputs: [key],
    attrs: { shape: type.shape, ...attrs },
    outputs: [value],
    origin: originOf(site.span),
  })
  return { kind: 'tensor', name: value.name, type, span: site.span }
}

/** `normal(mean, std)` with tensors: a standard draw, scaled and moved. */
function drawAround(
  ctx: Context,
  op: OpName,
  settings: readonly Value[],
  type: TensorType,
  site: CallSite,
): Value {
  const [first, second] = settings.map(setting => toTensor(ctx, setting, site.span))
  if (op === 'random_bernoulli' || !first || !second || first.kind === 'error' || second.kind === 'error') {
    return complain(ctx, 'LTM2109', site.span, {
      wanted: 'a number',
      got: describe(settings[0] ?? errorValue),
    })
  }
  const plain = draw(
    expecting(ctx, type),
    op,
    [op === 'random_normal' ? 'mean' : 'low', op === 'random_normal' ? 'std' : 'high'],
    [0, 1],
    'f32',
    { ...site, args: [] },
  )
  if (plain.kind !== 'tensor') return plain
  const width =
    op === 'random_normal' ? second : applyOperator(ctx, 'sub', [second, first], {}, site.span, '-')
  const scaled =
    width.kind === 'error' ? width : applyOperator(ctx, 'mul', [plain, width], {}, site.span, '*')
  return scaled.kind === 'error' ? scaled : applyOperator(ctx, 'add', [scaled, first], {}, site.span, '+')
}

function stack(ctx: Context, items: readonly Value[], axis: number, span: Span): Value {
  const tensors = items.map(item => toTensor(ctx, item, span))
  const rows = tensors.map(tensor => {
    if (tensor.kind === 'error') return tensor
    const at = axis < 0 ? tensor.type.shape.length + 1 + axis : axis
    const shape: Shape = [...tensor.type.shape.slice(0, at), 1, ...tensor.type.shape.slice(at)]
    return applyOperator(ctx, 'reshape', [tensor], { shape }, span, 'stack')
  })
  const good = rows.filter(row => row.kind === 'tensor')
  return good.length === rows.length
    ? applyOperator(ctx, 'concat', good, { axis }, span, 'stack')
    : errorValue
}
