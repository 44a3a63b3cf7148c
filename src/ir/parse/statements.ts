import type { HostScope } from '../host.ts'
import type {
  ComputedGradients,
  Hook,
  HookEvent,
  HookPayload,
  HostArgument,
  HostExpr,
  HostStatement,
  LogFlags,
  LossTerm,
  Message,
  Origin,
  ParameterGradient,
  ReturnField,
  StepStream,
  TrainingStep,
} from '../ir.ts'
import { parseExpr } from './expression.ts'
import { parseType } from './names.ts'
import type { Scanner } from './scanner.ts'
import { commaList, parseStep } from './tensor.ts'

/** A step of training, from behind the word `step`. */
export function parseTrainingStep(s: Scanner, scope: HostScope, origin: Origin): TrainingStep {
  const phase = s.oneOf(['train', 'val', 'test', 'predict'])
  const name = s.onThisLine(/\s*\(/y) ? undefined : s.name()
  const streams = s.list('(', ')', () => parseStream(s))
  const key = s.accept('key') ? s.value() : undefined
  return {
    phase,
    ...(name === undefined ? {} : { name }),
    streams,
    ...(key === undefined ? {} : { key }),
    body: parseBlock(s, scope),
    origin,
  }
}

function parseStream(s: Scanner): StepStream {
  const name = s.name()
  s.expect('from')
  const data = s.name()
  s.expect('split')
  const split = s.name()
  const cycle = s.accept('cycle')
  s.expect('size')
  return { name, data, split, cycle, size: s.name(), fields: s.list('(', ')', () => parseStreamField(s)) }
}

function parseStreamField(s: Scanner): StepStream['fields'][number] {
  const field = s.name()
  s.expect('=')
  const name = s.value()
  s.expect(':')
  return { field, value: { name, type: parseType(s) } }
}

/** A hook, from behind the word `on`. */
export function parseHook(s: Scanner, scope: HostScope, origin: Origin): Hook {
  const event = parseEvent(s)
  const payload = s.accept('takes') ? { payload: parsePayload(s) } : {}
  const condition = s.accept('if') ? { condition: parseExpr(s, scope) } : {}
  return { event, ...payload, ...condition, body: parseBlock(s, scope), origin }
}

function parsePayload(s: Scanner): HookPayload {
  const outputs = s.list('(', ')', () => parseStreamField(s))
  s.expect('and')
  return { outputs, batches: s.list('(', ')', () => parseStream(s)) }
}

function parseEvent(s: Scanner): HookEvent {
  if (!s.accept('every')) return { kind: 'event', name: s.name() }
  const count = s.number()
  const unit = s.oneOf(['batches', 'updates', 'epochs', 'examples', 'seconds'])
  return { kind: 'every', count, unit, ...(s.accept('of') ? { of: s.name() } : {}) }
}

/** Statements in braces. */
export function parseBlock(s: Scanner, scope: HostScope): readonly HostStatement[] {
  s.expect('{')
  return s.block('}', () => parseStatement(s, scope))
}

const statementWords = [
  'minimize',
  'differentiate',
  'move',
  'if',
  'for',
  'break',
  'log',
  'var',
  'set',
  'write',
  'skip',
  'stop',
  'print',
  'checkpoint',
  'call',
  'freeze',
  'unfreeze',
  'return',
] as const

function parseStatement(s: Scanner, scope: HostScope): HostStatement {
  const origin = s.origin()
  if (s.onThisLine(/\s*[%(]/y)) return { kind: 'compute', step: parseStep(s, scope) }
  const keyword = s.oneOf(statementWords)
  switch (keyword) {
    case 'minimize':
    case 'differentiate':
      return parseMinimize(s, scope, origin, keyword)
    case 'move': {
      const names = commaList(s, () => s.name())
      s.expect('with')
      return { kind: 'move', optimizer: s.name(), names, ...parseGradients(s), origin }
    }
    case 'if':
      return parseIf(s, scope, origin)
    case 'log':
      return parseLog(s, scope, origin)
    case 'for':
      return parseFor(s, scope, origin)
    case 'break':
      return { kind: 'break', origin }
    case 'var':
      return parseVar(s, scope, origin)
    case 'set': {
      const name = s.name()
      s.expect('=')
      const value = s.valueMaybe()
      if (value !== undefined) return { kind: 'set_tensor', name, value, origin }
      return { kind: 'set', name, value: parseExpr(s, scope), origin }
    }
    case 'write': {
      const { name, value } = parseField(s)
      return { kind: 'write', buffer: name, value, origin }
    }
    case 'skip':
      return { kind: 'skip', origin }
    case 'stop':
      return { kind: 'stop', ...(s.onThisLine(/\(/y) ? { message: parseMessage(s, scope) } : {}), origin }
    case 'print':
    case 'checkpoint':
      return { kind: keyword, message: parseMessage(s, scope), origin }
    case 'call': {
      const name = s.name()
      s.expect('from')
      const file = s.text()
      return { kind: 'call', name, file, args: s.list('(', ')', () => parseArgument(s, scope)), origin }
    }
    case 'freeze':
    case 'unfreeze':
      return {
        kind: 'freeze',
        parameters: s.list('(', ')', () => s.name()),
        frozen: keyword === 'freeze',
        origin,
      }
    case 'return':
      return { kind: 'return', fields: s.list('(', ')', () => parseReturned(s)), origin }
  }
}

function parseGradients(s: Scanner): { readonly by?: ComputedGradients } {
  if (!s.accept('from')) return {}
  const terms = s.list('(', ')', () => {
    const mean = s.value()
    s.expect('over')
    return { mean, weight: s.value() }
  })
  const apart = s.accept('apart')
  const gradients: (readonly ParameterGradient[])[] = []
  while (s.accept('by'))
    gradients.push(
      s.list('(', ')', () => {
        const { name, value } = parseField(s)
        return { parameter: name, value }
      }),
    )
  return { by: { apart, terms, gradients } }
}

function parseReturned(s: Scanner): ReturnField {
  const field = parseField(s)
  return s.accept('texts') ? { ...field, texts: { data: s.name(), field: s.name() } } : field
}

function parseField(s: Scanner): { readonly name: string; readonly value: string } {
  const name = s.name()
  s.expect('=')
  return { name, value: s.value() }
}

function parseMinimize(
  s: Scanner,
  scope: HostScope,
  origin: Origin,
  kind: 'minimize' | 'differentiate',
): HostStatement {
  const terms = commaList(s, () => parseTerm(s))
  s.expect('with')
  const optimizer = s.name()
  const exports = s.accept('exports') ? commaList(s, () => s.value()) : []
  const body = s.accept('{') ? s.block('}', () => parseStep(s, scope)) : []
  return { kind, optimizer, terms, body, exports, origin }
}

function parseTerm(s: Scanner): LossTerm {
  const { name, value: loss } = parseField(s)
  return { name, loss, ...parseWeight(s) }
}

function parseWeight(s: Scanner): { readonly weight?: string } {
  return s.accept('over') ? { weight: s.value() } : {}
}

function parseIf(s: Scanner, scope: HostScope, origin: Origin): HostStatement {
  const condition = parseExpr(s, scope)
  const then = parseBlock(s, scope)
  const otherwise = s.accept('else') ? parseBlock(s, scope) : []
  return { kind: 'if', condition, then, otherwise, origin }
}

function parseFor(s: Scanner, scope: HostScope, origin: Origin): HostStatement {
  const index = s.name()
  s.expect('from')
  const from = parseExpr(s, scope)
  const to = s.accept('to') ? { to: parseExpr(s, scope) } : {}
  return { kind: 'for', index, from, ...to, body: parseBlock(s, scope), origin }
}

function parseVar(s: Scanner, scope: HostScope, origin: Origin): HostStatement {
  const name = s.name()
  if (s.accept(':')) {
    const type = parseType(s)
    if (type === 'key') return s.fail('a var holds a tensor; before it')
    s.expect('=')
    return { kind: 'var_tensor', name, type, value: s.value(), origin }
  }
  s.expect('=')
  return { kind: 'var', name, value: parseExpr(s, scope), origin }
}

function parseLog(s: Scanner, scope: HostScope, origin: Origin): HostStatement {
  const name = s.name()
  if (s.accept('in')) return parseMetricLog(s, name, origin)
  s.expect('=')
  const value = s.valueMaybe()
  if (value === undefined) {
    const expr: HostExpr = parseExpr(s, scope)
    return { kind: 'log_host', name, value: expr, flags: parseFlags(s), origin }
  }
  const weight = parseWeight(s)
  return { kind: 'log', name, value, ...weight, flags: parseFlags(s), origin }
}

function parseMetricLog(s: Scanner, name: string, origin: Origin): HostStatement {
  const metric = s.name()
  if (s.accept('as')) {
    const states = s.list('(', ')', () => s.value())
    return { kind: 'log_states', name, metric, states, flags: parseFlags(s), origin }
  }
  s.expect('by')
  const func = s.name()
  const inputs = s.list('(', ')', () => s.value())
  return { kind: 'log_metric', name, metric, func, inputs, flags: parseFlags(s), origin }
}

function parseFlags(s: Scanner): LogFlags {
  const bar = s.accept('bar')
  return { bar, on: s.accept('on') ? s.oneOf(['step', 'epoch', 'both']) : 'default' }
}

function parseMessage(s: Scanner, scope: HostScope): Message {
  return s.list('(', ')', () => (s.atText ? s.text() : parsePiece(s, scope)))
}

function parsePiece(s: Scanner, scope: HostScope): Exclude<Message[number], string> {
  if (!s.accept('{')) return { value: s.value() }
  const expr = parseExpr(s, scope)
  s.expect('}')
  return { expr }
}

function parseArgument(s: Scanner, scope: HostScope): HostArgument {
  return s.atMark('(') ? { text: parseMessage(s, scope) } : parsePiece(s, scope)
}
