import type { Span } from '../../base/source.ts'
import type { Dataset } from '../../ir/ir.ts'
import type { Call, Dataset as DatasetDeclaration } from '../../syntax/ast.ts'
import { children } from '../../syntax/walk.ts'
import { callValue } from '../calls.ts'
import { type Context, complain, originOf } from '../context.ts'
import { describe } from '../describe.ts'
import { expression } from '../evaluate.ts'
import { functionFrom } from '../functionRegion.ts'
import { applyOperator } from '../tensors.ts'
import { errorValue, type TensorValue, type Value } from '../values.ts'
import { type Columns, rows, type Standards, tableContext } from './table.ts'

type Fits = readonly Dataset['fits'][number][]

/** `standardize(columns(0..4))` in a field is two fits, `x_mean` and `x_spread`, which are learned here. */
export function standardsOf(
  ctx: Context,
  declaration: DatasetDeclaration,
  columns: Columns,
  known: Fits,
  failed: Set<string>,
): { readonly fits: Fits; readonly standards: Standards } {
  const fits = [...known]
  const standards = new Map<number, { readonly mean: string; readonly spread: string }>()
  for (const member of declaration.members) {
    const calls = member.kind === 'Split' ? [] : standardizing(member)
    for (const call of calls) {
      if (member.kind !== 'Field') {
        complain(ctx, 'LTM4342', call.span, undefined)
        continue
      }
      const name = unusedName(member.name.text, fits)
      const learned = learn(ctx, declaration, call, name, columns, fits, failed)
      if (!learned) {
        failed.add(member.name.text)
        continue
      }
      fits.push(...learned)
      standards.set(call.span.start, { mean: `${name}_mean`, spread: `${name}_spread` })
    }
  }
  return { fits, standards }
}

function standardizing(node: Parameters<typeof children>[0]): readonly Call[] {
  const own =
    node.kind === 'Call' && node.callee.kind === 'Name' && node.callee.text === 'standardize' ? [node] : []
  return [...own, ...[...children(node)].flatMap(standardizing)]
}

function unusedName(field: string, fits: Fits): string {
  const taken = new Set(fits.map(fit => fit.name))
  const free = (name: string): boolean => !taken.has(`${name}_mean`) && !taken.has(`${name}_spread`)
  for (let i = 1; ; i++) {
    const name = i === 1 ? field : `${field}${i}`
    if (free(name)) return name
  }
}

function learn(
  ctx: Context,
  declaration: DatasetDeclaration,
  call: Call,
  name: string,
  columns: Columns,
  fits: Fits,
  failed: ReadonlySet<string>,
): Fits | undefined {
  const { span } = call
  const learnt = (suffix: string, compute: (within: Context, x: TensorValue) => Value) => {
    const table = tableContext(ctx, columns, fits, failed)
    const [arg] = call.args
    const x = arg?.kind === 'Positional' ? expression(table.ctx, arg.value) : errorValue
    if (x.kind === 'error') return undefined
    if (x.kind !== 'tensor' || x.type.dtype !== 'f32' || x.type.shape[0] !== rows)
      return void complain(ctx, 'LTM2109', arg?.span ?? span, {
        wanted: 'columns of numbers',
        got: describe(x),
      })
    const value = compute(table.ctx, x)
    if (value.kind !== 'tensor') return undefined
    const func = functionFrom(ctx, table.region, {
      name: `${declaration.name.text}.${name}_${suffix}`,
      declaration: `${name}_${suffix}`,
      role: 'fields',
      span,
      result: value,
      params: table.region.params,
    })
    return { name: `${name}_${suffix}`, type: value.type, func: func.name, origin: originOf(span) }
  }
  const mean = learnt('mean', (within, x) => applyOperator(within, 'mean', [x], { axis: [0] }, span))
  const spread = mean && learnt('spread', (within, x) => usualSpread(within, x, span))
  return mean && spread && [mean, spread]
}

function usualSpread(ctx: Context, x: TensorValue, span: Span): Value {
  const library = ctx.env.lookupWhere('usual_spread', value => value.kind === 'function')?.value ?? errorValue
  return callValue(ctx, library, { args: [], span, shown: 'standardize' }, { value: x, span })
}
