import type { HostScope } from '../host.ts'
import type {
  Buffer,
  Cell,
  ColumnInput,
  DataCount,
  DataField,
  DataSource,
  Dataset,
  Domain,
  HostVar,
  Hyper,
  Metric,
  MetricState,
  Optimizer,
  OptimizerGroup,
  Origin,
  Parameter,
  Ragged,
  Tokens,
  Vocabulary,
  WeightFile,
} from '../ir.ts'
import { parseExpr } from './expression.ts'
import { parseLiteral, parseTensorType, parseTyped } from './names.ts'
import type { Scanner } from './scanner.ts'
import { parseBlock } from './statements.ts'
import { commaList, parseDoc } from './tensor.ts'
import { parseAccumulate, parseClip } from './trainer.ts'

/** A hyper, from behind its word. */
export function parseHyper(s: Scanner, origin: Origin): Hyper {
  const name = s.name()
  s.expect(':')
  const type = s.oneOf(['float', 'int', 'bool', 'string'])
  s.expect('=')
  const value = parseLiteral(s)
  return { name, type, value, ...(s.accept('in') ? { domain: parseDomain(s) } : {}), origin }
}

function parseDomain(s: Scanner): Domain {
  const kind = s.oneOf(['range', 'log_range', 'choice'])
  return { kind, values: s.list('(', ')', () => parseLiteral(s)) }
}

/** A host `var`, from behind its word. */
export function parseVar(s: Scanner, origin: Origin): HostVar {
  const name = s.name()
  s.expect(':')
  const type = s.oneOf(['float', 'int', 'bool'])
  s.expect('=')
  const value = parseLiteral(s)
  return typeof value === 'string'
    ? s.fail('a var is a number or a truth value; before it')
    : { name, type, value, origin }
}

/** A dataset, from behind the word `data`. */
export function parseDataset(s: Scanner, origin: Origin): Dataset {
  const head = parseDatasetHead(s)
  const source = parseSource(s)
  const columns = repeat(() => parseColumn(s))
  const vocabularies = repeat(() => parseVocabulary(s))
  const fits = repeat(() => parseFit(s))
  const filters = repeat(() => parseFilter(s))
  const fields = repeat(() => parseDataField(s))
  const augment = s.accept('augment') ? { augment: parseBy(s) } : {}
  const split = s.accept('split') ? commaList(s, () => ({ name: s.name(), share: s.number() })) : []
  const buckets = s.accept('buckets') ? { buckets: s.list('[', ']', () => s.number()) } : {}
  const stratify = s.accept('stratify') ? { stratify: s.name() } : {}
  const group = s.accept('group') ? { group: s.name() } : {}
  const counts = repeat(() => parseCount(s))
  s.expect('}')
  return {
    ...head,
    source,
    columns,
    vocabularies,
    fits,
    filters,
    fields,
    ...augment,
    split,
    ...buckets,
    ...stratify,
    ...group,
    counts,
    origin,
  }
}

function parseDatasetHead(s: Scanner) {
  const name = s.name()
  s.expect('=')
  const declaration = s.name()
  s.expect('by')
  const func = s.name()
  s.expect('batch')
  const head = {
    name,
    declaration,
    func,
    batch: s.number(),
    shuffle: s.accept('shuffle'),
    dropLast: s.accept('drop_last'),
  }
  s.expect('{')
  return head
}

/** Items for as long as there are any. */
function repeat<T>(item: () => T | undefined): readonly T[] {
  const items: T[] = []
  for (let next = item(); next !== undefined; next = item()) items.push(next)
  return items
}

function parseSource(s: Scanner): DataSource {
  const origin = s.origin()
  const kind = s.oneOf(['csv', 'synthetic', 'inline', 'arrays', 'file', 'images', 'text'])
  if (kind === 'synthetic') return { kind, count: s.number(), origin }
  if (kind === 'inline') return { kind, columns: parseInline(s), origin }
  if (kind === 'arrays') {
    const format = s.oneOf(['idx', 'npy'])
    s.expect('{')
    return { kind, format, files: s.block('}', () => parseArrayFile(s)), origin }
  }
  if (kind === 'file') {
    const format = s.oneOf(['npz', 'safetensors', 'jsonl', 'parquet', 'typescript'])
    return { kind, format, path: s.text(), origin }
  }
  const path = s.text()
  if (kind === 'images') {
    const [channels = 0, height = 0, width = 0] = s.list('[', ']', () => s.whole())
    return { kind, path, channels, height, width, origin }
  }
  if (kind === 'text') return { kind, path, ...parseWindows(s), origin }
  s.expect('skip')
  const skip = s.number()
  const missing = s.accept('missing') ? { missing: s.number() } : {}
  return { kind, path, skip, ...missing, origin }
}

function parseArrayFile(s: Scanner): { readonly name: string; readonly path: string } {
  const name = s.name()
  s.expect('=')
  return { name, path: s.text() }
}

function parseWindows(s: Scanner) {
  const tokens = s.oneOf(['bytes', 'characters', 'words'])
  s.expect('window')
  const window = s.whole()
  s.expect('stride')
  const stride = s.whole()
  return { tokens, window, stride, ...parseSize(s) }
}

function parseInline(s: Scanner): readonly { readonly name: string; readonly values: readonly Cell[] }[] {
  s.expect('{')
  return s.block('}', () => {
    const name = s.name()
    s.expect('=')
    return { name, values: s.list('[', ']', () => parseCell(s)) }
  })
}

function parseCell(s: Scanner): Cell {
  if (s.atText) return s.text()
  return s.numberMaybe() ?? s.list('[', ']', () => s.number())
}

function parseColumn(s: Scanner): ColumnInput | undefined {
  const origin = s.origin()
  const single = s.accept('column')
  if (!single && !s.accept('columns')) return undefined
  const value = s.value()
  s.expect('=')
  const place = s.atText ? { name: s.text(), from: 0, to: 1 } : parsePlace(s)
  const shape = s.accept('shape') ? { shape: parseTensorType(s).shape } : {}
  const tokens = s.accept('tokens') ? { tokens: parseTokens(s) } : {}
  return { value, ...place, single, ...shape, ...tokens, origin }
}

function parsePlace(s: Scanner): Pick<ColumnInput, 'from' | 'to'> {
  const from = s.whole()
  s.expect('..')
  return { from, to: s.whole() }
}

function parseTokens(s: Scanner): Tokens {
  const unit = s.oneOf(['words', 'characters', 'whole'])
  return { unit, ...parseSize(s), ...(s.accept('by') ? { vocabulary: s.name() } : {}) }
}

function parseSize(s: Scanner): { readonly size?: number } {
  return s.accept('size') ? { size: s.whole() } : {}
}

function parseVocabulary(s: Scanner): Vocabulary | undefined {
  const origin = s.origin()
  if (!s.accept('vocabulary')) return undefined
  const name = s.name()
  s.expect('=')
  const unit = s.oneOf(['words', 'characters', 'whole'])
  const size = parseSize(s)
  s.expect('from')
  return { name, unit, ...size, from: commaList(s, () => (s.atText ? s.text() : s.whole())), origin }
}

function parseCount(s: Scanner): DataCount | undefined {
  const origin = s.origin()
  if (!s.accept('count')) return undefined
  const of = s.name()
  return { of, ...(s.accept('=') ? { is: s.whole() } : {}), origin }
}

function parseFit(s: Scanner): Dataset['fits'][number] | undefined {
  const origin = s.origin()
  if (!s.accept('fit')) return undefined
  const name = s.name()
  s.expect(':')
  const type = parseTensorType(s)
  s.expect('by')
  return { name, type, func: s.name(), origin }
}

function parseFilter(s: Scanner): Dataset['filters'][number] | undefined {
  const origin = s.origin()
  return s.accept('filter') ? { func: parseBy(s), origin } : undefined
}

function parseBy(s: Scanner): string {
  s.expect('by')
  return s.name()
}

function parseDataField(s: Scanner): DataField | undefined {
  const origin = s.origin()
  if (!s.accept('field')) return undefined
  const name = s.name()
  s.expect(':')
  const type = parseTensorType(s)
  const whole = s.accept('whole')
  return { name, type, whole, ...(s.accept('ragged') ? { ragged: parseRagged(s) } : {}), origin }
}

function parseRagged(s: Scanner): Ragged {
  const bound = s.accept('to') ? { bound: s.number() } : {}
  s.expect('pad')
  return { ...bound, pad: s.number() }
}

/** A parameter, from behind its word. */
export function parseParameter(s: Scanner, origin: Origin): Parameter {
  const path = s.name()
  s.expect(':')
  const type = parseTensorType(s)
  const raw = s.accept('raw') ? parseTensorType(s) : type
  const constraint = s.accept('in') ? { constraint: parseConstraint(s) } : {}
  const projection = s.accept('project') ? { projection: parseProjection(s) } : {}
  const start = parseStart(s)
  return { path, type, raw, ...constraint, ...projection, ...start, frozen: s.accept('frozen'), origin }
}

/** A buffer, from behind its word. */
export function parseBuffer(s: Scanner, origin: Origin): Buffer {
  const path = s.name()
  s.expect(':')
  const type = parseTensorType(s)
  return { path, type, ...parseStart(s), origin }
}

function parseStart(s: Scanner): Pick<Parameter, 'init' | 'copies'> {
  s.expect('init')
  const init = s.name()
  return s.accept('copies') ? { init, copies: s.name() } : { init }
}

/** A file of weights, from behind its word. */
export function parseWeights(s: Scanner, origin: Origin): WeightFile {
  const model = s.name()
  s.expect('from')
  const path = s.text()
  const rename: WeightFile['rename'][number][] = []
  while (s.accept('rename')) {
    const from = s.text()
    s.expect('to')
    rename.push({ from, to: s.text() })
  }
  const missing = textsBehind(s, 'missing')
  return { model, path, rename, missing, unused: textsBehind(s, 'unused'), origin }
}

function textsBehind(s: Scanner, word: string): readonly string[] {
  const texts: string[] = []
  while (s.accept(word)) texts.push(s.text())
  return texts
}

function parseProjection(s: Scanner): NonNullable<Parameter['projection']> {
  const text = s.text()
  s.expect('by')
  return { text, func: s.name() }
}

function parseConstraint(s: Scanner): NonNullable<Parameter['constraint']> {
  const text = s.text()
  s.expect('=')
  const name = s.name()
  s.expect('version')
  const version = s.number()
  const bijective = s.accept('bijective')
  s.expect('forward')
  const forward = s.name()
  const check = s.accept('check') ? { check: s.name() } : {}
  const start = s.accept('start') ? { start: s.name() } : {}
  const buffers = s.accept('reads') ? { buffers: s.list('(', ')', () => s.name()) } : {}
  return { text, name, version, bijective, forward, ...check, ...start, ...buffers }
}

/** An optimizer, from behind its word. */
export function parseOptimizer(s: Scanner, scope: HostScope, origin: Origin): Optimizer {
  const name = s.name()
  s.expect('=')
  const declaration = s.name()
  const settings = s.list('(', ')', () => s.name())
  const follows = s.accept('follows') ? { follows: s.name() } : {}
  s.expect('{')
  const clip = parseClip(s)
  const accumulate = parseAccumulate(s, scope)
  const own = { ...clip, ...(accumulate === undefined ? {} : { accumulate }) }
  const slots = repeat(() => parseSlot(s))
  const groups = repeat(() => (s.accept('group') ? parseGroup(s, scope) : undefined))
  const closure = parseClosure(s, { ...scope, args: new Set(['t', ...settings]) })
  s.expect('}')
  return { name, declaration, slots, settings, groups, ...follows, ...closure, ...own, origin }
}

function parseSlot(s: Scanner): Optimizer['slots'][number] | undefined {
  if (!s.accept('slot')) return undefined
  const name = s.name()
  const type = s.accept(':') ? { type: parseTensorType(s) } : {}
  s.expect('=')
  return { name, value: s.number(), ...type }
}

function parseClosure(s: Scanner, scope: HostScope): Pick<Optimizer, 'closure'> {
  const doc = parseDoc(s)
  const origin = s.origin()
  if (!s.accept('closure')) return doc === undefined ? {} : s.fail('expected the closure that this documents')
  const inputs = s.list('(', ')', () => parseTyped(s))
  const body = parseBlock(s, scope)
  return { closure: { inputs, body, ...(doc === undefined ? {} : { doc }), origin } }
}

/** A group, from behind its word. */
function parseGroup(s: Scanner, scope: HostScope): OptimizerGroup {
  const update = s.accept('by') ? { update: s.name() } : {}
  const settings = s.list('(', ')', () => parseExpr(s, scope))
  s.expect('{')
  return { parameters: s.block('}', () => s.name()), settings, ...update }
}

/** A metric, from behind its word. */
export function parseMetric(s: Scanner, origin: Origin): Metric {
  const name = s.name()
  s.expect('=')
  const declaration = s.name()
  s.expect('compute')
  const compute = s.name()
  s.expect('{')
  return { name, declaration, compute, states: s.block('}', () => parseState(s)), origin }
}

function parseState(s: Scanner): MetricState {
  s.expect('state')
  const name = s.name()
  s.expect(':')
  const type = parseTensorType(s)
  s.expect('=')
  const value = s.number()
  s.expect('merge')
  return { name, type, value, merge: s.oneOf(['sum', 'max', 'min']) }
}
