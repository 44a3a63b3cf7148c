import type { HostScope } from '../host.ts'
import type {
  Buffer,
  Cell,
  Closure,
  ColumnInput,
  DataSource,
  Dataset,
  HostVar,
  Hyper,
  Metric,
  Optimizer,
  OptimizerGroup,
  OptimizerSlot,
  Parameter,
  Ragged,
  Vocabulary,
  WeightFile,
} from '../ir.ts'
import { printExpr } from './expression.ts'
import { indent, type Line, line, traced } from './lines.ts'
import { printLiteral, printName, printNumber, printType, printValue } from './names.ts'
import { statementLines } from './statements.ts'
import { docLines, printTyped } from './tensor.ts'
import { accumulateText, clipText, setting } from './trainer.ts'

/** `hyper lr: float = 0.001 in log_range(0.00001, 0.1)`. */
export function hyperLine(hyper: Hyper): Line {
  const domain = hyper.domain
    ? ` in ${hyper.domain.kind}(${hyper.domain.values.map(printLiteral).join(', ')})`
    : ''
  const text = `hyper ${printName(hyper.name)}: ${hyper.type} = ${printLiteral(hyper.value)}${domain}`
  return traced(text, hyper.origin)
}

/** `var boost: float = 1`. */
export function varLine({ name, type, value, origin }: HostVar): Line {
  return traced(`var ${printName(name)}: ${type} = ${printLiteral(value)}`, origin)
}

/** A dataset: its source, its columns, what is fitted, its fields and its splits. */
export function datasetLines(data: Dataset): readonly Line[] {
  const flags = `${data.shuffle ? ' shuffle' : ''}${data.dropLast ? ' drop_last' : ''}`
  const head = `data ${printName(data.name)} = ${printName(data.declaration)} by ${printName(data.func)}`
  const split = data.split.map(({ name, share }) => `${printName(name)} ${printNumber(share)}`)
  return [
    traced(`${head} batch ${printNumber(data.batch)}${flags} {`, data.origin),
    ...indent([
      ...sourceLines(data.source),
      ...data.columns.map(columnLine),
      ...data.vocabularies.map(vocabularyLine),
      ...data.fits.map(fit =>
        traced(`fit ${printName(fit.name)}: ${printType(fit.type)} by ${printName(fit.func)}`, fit.origin),
      ),
      ...data.filters.map(({ func, origin }) => traced(`filter by ${printName(func)}`, origin)),
      ...data.fields.map(field =>
        traced(
          `field ${printName(field.name)}: ${printType(field.type)}${field.whole ? ' whole' : ''}${raggedText(field.ragged)}`,
          field.origin,
        ),
      ),
      ...(data.augment === undefined ? [] : [line(`augment by ${printName(data.augment)}`)]),
      ...(split.length === 0 ? [] : [line(`split ${split.join(', ')}`)]),
      ...(data.buckets === undefined ? [] : [line(`buckets [${data.buckets.map(printNumber).join(', ')}]`)]),
      ...(data.stratify === undefined ? [] : [line(`stratify ${printName(data.stratify)}`)]),
      ...(data.group === undefined ? [] : [line(`group ${printName(data.group)}`)]),
      ...data.counts.map(({ of, is, origin }) =>
        traced(`count ${printName(of)}${is === undefined ? '' : ` = ${printNumber(is)}`}`, origin),
      ),
    ]),
    line('}'),
  ]
}

function sourceLines(source: DataSource): readonly Line[] {
  switch (source.kind) {
    case 'csv':
      return [
        traced(
          `csv ${JSON.stringify(source.path)} skip ${printNumber(source.skip)}${source.missing === undefined ? '' : ` missing ${printNumber(source.missing)}`}`,
          source.origin,
        ),
      ]
    case 'synthetic':
      return [traced(`synthetic ${printNumber(source.count)}`, source.origin)]
    case 'inline':
      return [
        traced('inline {', source.origin),
        ...indent(
          source.columns.map(c => line(`${printName(c.name)} = [${c.values.map(printCell).join(', ')}]`)),
        ),
        line('}'),
      ]
    case 'arrays':
      return [
        traced(`arrays ${source.format} {`, source.origin),
        ...indent(source.files.map(file => line(`${printName(file.name)} = ${JSON.stringify(file.path)}`))),
        line('}'),
      ]
    case 'file':
      return [traced(`file ${source.format} ${JSON.stringify(source.path)}`, source.origin)]
    case 'images': {
      const { path, channels, height, width, origin } = source
      return [traced(`images ${JSON.stringify(path)} [${channels}, ${height}, ${width}]`, origin)]
    }
    case 'text': {
      const { path, tokens, window, stride, size, origin } = source
      const most = size === undefined ? '' : ` size ${size}`
      const how = `${tokens} window ${window} stride ${stride}${most}`
      return [traced(`text ${JSON.stringify(path)} ${how}`, origin)]
    }
  }
}

function printCell(cell: Cell): string {
  if (typeof cell === 'string') return JSON.stringify(cell)
  return typeof cell === 'number' ? printNumber(cell) : `[${cell.map(printNumber).join(', ')}]`
}

function raggedText(ragged: Ragged | undefined): string {
  if (!ragged) return ''
  const bound = ragged.bound === undefined ? '' : ` to ${printNumber(ragged.bound)}`
  return ` ragged${bound} pad ${printNumber(ragged.pad)}`
}

function columnLine({ value, name, from, to, single, shape, tokens, origin }: ColumnInput): Line {
  const place = name === undefined ? `${from}..${to}` : JSON.stringify(name)
  const laid = shape ? ` shape ${printType({ dtype: 'f32', shape })}` : ''
  const own = tokens?.vocabulary === undefined ? '' : ` by ${printName(tokens.vocabulary)}`
  const made = tokens ? ` tokens ${tokens.unit}${sizeText(tokens)}${own}` : ''
  return traced(`${single ? 'column' : 'columns'} ${printValue(value)} = ${place}${laid}${made}`, origin)
}

/** `vocabulary names = whole size 500 from "a", "b"`. */
function vocabularyLine({ name, unit, size, from, origin }: Vocabulary): Line {
  const columns = from.map(column => printLiteral(column)).join(', ')
  return traced(`vocabulary ${printName(name)} = ${unit}${sizeText({ size })} from ${columns}`, origin)
}

function sizeText({ size }: { readonly size?: number | undefined }): string {
  return size === undefined ? '' : ` size ${printNumber(size)}`
}

/** `parameter net.head.weight: f32[10, 64] init net.head.weight.init`; the raw type where it is another one. */
export function parameterLine(parameter: Parameter): Line {
  const { path, type, raw, constraint, projection, init, copies, frozen, origin } = parameter
  const other = printType(raw) === printType(type) ? '' : ` raw ${printType(raw)}`
  const within = constraint ? ` in ${constraintText(constraint)}` : ''
  const back = projection
    ? ` project ${JSON.stringify(projection.text)} by ${printName(projection.func)}`
    : ''
  const text = `parameter ${printName(path)}: ${printType(type)}${other}${within}${back}${startText(init, copies)}`
  return traced(frozen ? `${text} frozen` : text, origin)
}

/** `buffer net.norm.running_mean: f32[8] init net.norm.running_mean.init`. */
export function bufferLine({ path, type, init, copies, origin }: Buffer): Line {
  return traced(`buffer ${printName(path)}: ${printType(type)}${startText(init, copies)}`, origin)
}

function startText(init: string, copies: string | undefined): string {
  return ` init ${printName(init)}${copies === undefined ? '' : ` copies ${printName(copies)}`}`
}

/** `weights net from "vit.safetensors" rename "vit" to "backbone" missing "head"`. */
export function weightsLine({ model, path, rename, missing, unused, origin }: WeightFile): Line {
  const renamed = rename.map(({ from, to }) => ` rename ${JSON.stringify(from)} to ${JSON.stringify(to)}`)
  const kept = missing.map(name => ` missing ${JSON.stringify(name)}`)
  const left = unused.map(name => ` unused ${JSON.stringify(name)}`)
  const clauses = [...renamed, ...kept, ...left].join('')
  return traced(`weights ${printName(model)} from ${JSON.stringify(path)}${clauses}`, origin)
}

function constraintText(constraint: NonNullable<Parameter['constraint']>): string {
  const { text, name, version, bijective, forward, check, start, buffers } = constraint
  const checked = check === undefined ? '' : ` check ${printName(check)}`
  const begins = start === undefined ? '' : ` start ${printName(start)}`
  const read = buffers === undefined ? '' : ` reads (${buffers.map(printName).join(', ')})`
  const shown = `${JSON.stringify(text)} = ${printName(name)} version ${printNumber(version)}`
  return `${shown}${bijective ? ' bijective' : ''} forward ${printName(forward)}${checked}${begins}${read}`
}

/** An optimizer: its slots, its settings, and its groups of parameters. */
export function optimizerLines(optimizer: Optimizer, scope: HostScope): readonly Line[] {
  const { slots, groups, origin } = optimizer
  const settings = optimizer.settings.map(printName).join(', ')
  const followed = optimizer.follows === undefined ? '' : ` follows ${printName(optimizer.follows)}`
  return [
    traced(
      `optimizer ${printName(optimizer.name)} = ${printName(optimizer.declaration)}(${settings})${followed} {`,
      origin,
    ),
    ...indent([
      ...setting(optimizer.clip, clipText),
      ...setting(optimizer.accumulate, batches => accumulateText(batches, scope)),
      ...slots.map(slotLine),
      ...groups.flatMap(group => groupLines(group, scope)),
      ...(optimizer.closure === undefined ? [] : closureLines(optimizer, optimizer.closure, scope)),
    ]),
    line('}'),
  ]
}

function slotLine({ name, type, value }: OptimizerSlot): Line {
  const typed = type === undefined ? '' : `: ${printType(type)}`
  return line(`slot ${printName(name)}${typed} = ${printNumber(value)}`)
}

function closureLines({ settings }: Optimizer, closure: Closure, scope: HostScope): readonly Line[] {
  const inputs = closure.inputs.map(printTyped)
  const own: HostScope = { ...scope, args: new Set(['t', ...settings]) }
  return [
    ...docLines(closure.doc),
    traced(`closure (${inputs.join(', ')}) {`, closure.origin),
    ...indent(statementLines(closure.body, own)),
    line('}'),
  ]
}

function groupLines(group: OptimizerGroup, scope: HostScope): readonly Line[] {
  const settings = group.settings.map(expr => printExpr(expr, scope)).join(', ')
  const by = group.update === undefined ? ' ' : ` by ${printName(group.update)}`
  return [
    line(`group${by}(${settings}) {`),
    ...indent(group.parameters.map(path => line(printName(path)))),
    line('}'),
  ]
}

/** A metric and its states. */
export function metricLines(metric: Metric): readonly Line[] {
  const head = `metric ${printName(metric.name)} = ${printName(metric.declaration)} compute ${printName(metric.compute)}`
  const states = metric.states.map(state => {
    const value = `= ${printNumber(state.value)} merge ${state.merge}`
    return line(`state ${printName(state.name)}: ${printType(state.type)} ${value}`)
  })
  return [traced(`${head} {`, metric.origin), ...indent(states), line('}')]
}
