import { bug } from '../../base/bug.ts'
import { type Code, renderCode, ts } from '../../base/code.ts'
import type { Func, HostExpr, Step, ValueType } from '../../ir/ir.ts'
import { type Line, statement } from '../layout.ts'
import { type Env, funcOf, localName, type Section, traceOf } from './env.ts'
import { type HostNames, hostCode } from './host.ts'
import { functionName, type Scope } from './names.ts'
import { access, type Segment } from './paths.ts'
import type { SizeReader, SizeText } from './sizes.ts'
import type { Uses } from './uses.ts'

/** What stands for a value of the IR in the text that is being written. */
export type Bound =
  /** A local name, or a short expression that may be repeated. */
  | { readonly kind: 'code'; readonly code: Code }
  /** A host number that stands for a scalar `f32[]`. */
  | { readonly kind: 'number'; readonly code: Code }
  /** A parameter, reached from a model or from `self`. */
  | { readonly kind: 'place'; readonly root: string; readonly segments: readonly Segment[] }
  /** What a `var` of the step holds, as long as it is not set. */
  | { readonly kind: 'held'; readonly name: string; readonly code: string }
  /** Not written yet: an expression that its only reader takes in, unless a line would get too long. */
  | { readonly kind: 'pending'; readonly code: Code; readonly step: Step }

export interface Part {
  readonly type: string
  readonly size: number
}

/** The steps of one function or step of training while they are being written. */
export interface Body {
  readonly env: Env
  readonly section: Section
  readonly scope: Scope
  readonly values: Map<string, Bound>
  readonly types: Map<string, ValueType>
  readonly uses: Uses
  /** The names of the `var`s of a step and the indices of its loops. */
  readonly locals: Map<string, string>
  /** What is made in a loop of the host is freed when its round ends. */
  readonly inLoop?: boolean
  /** The types of the parts of `self` that are handed on, by path, and how many parameters these have. */
  readonly parts: Map<string, Part>
  /** Values that are given back as they are computed: no name says more about them than where they stand. */
  readonly unnamed: ReadonlySet<string>
  readonly lines: Line[]
  readonly sizes: SizeText
  /** What an optimizer's closure is given of the host; steps and hooks are given nothing. */
  readonly given?: (name: string) => Code
  /** Present where sizes that are numbers are to be read off the inputs. */
  readonly measure?: SizeReader
  readonly host: HostNames
}

/** Expressions longer than this get a line and a name of their own. */
const longestExpression = 70
/** Taking a shorter one out of an expression doesn't help. */
const shortestLine = 22

// ── Reading values ──────────────────────────────────────────────────────────────────────────────────────────────────

/** The text of a value where a tensor is asked for. */
export function valueCode(body: Body, name: string): Code {
  const bound = body.values.get(name) ?? bug(`the value %${name} is read before it is computed`)
  if (bound.kind === 'number') return ts`tf.scalar(${bound.code})`
  return bound.kind === 'place' ? access(bound.root, bound.segments) : bound.code
}

/** The text of a value for an operator that takes plain numbers as well. */
export function numberOrTensor(body: Body, name: string): Code {
  const bound = body.values.get(name)
  return bound?.kind === 'number' ? bound.code : valueCode(body, name)
}

/** An expression over values: the longest ones that wait get lines of their own until the rest is short enough. */
export function composed(body: Body, inputs: readonly string[], compose: () => Code): Code {
  for (;;) {
    const code = compose()
    const longest = longestPending(body, inputs)
    if (lengthOf(code) <= longestExpression || longest === undefined) return settle(body, inputs, code)
    nameValue(body, longest)
  }
}

function longestPending(body: Body, inputs: readonly string[]): string | undefined {
  const lengths = inputs.map(name => {
    const bound = body.values.get(name)
    return { name, length: bound?.kind === 'pending' ? lengthOf(bound.code) : 0 }
  })
  const worth = lengths.filter(({ length }) => length >= shortestLine)
  return worth.sort((a, b) => b.length - a.length)[0]?.name
}

/** Says that what waited for this reader has been read now. */
export function settle(body: Body, inputs: readonly string[], code: Code): Code {
  for (const name of inputs) {
    const bound = body.values.get(name)
    if (bound?.kind === 'pending') body.values.set(name, { kind: 'code', code: bound.code })
  }
  return code
}

export function lengthOf(code: Code): number {
  return renderCode(code, 'typescript').length
}

/** Gives a line to everything that still waits, since what follows must not move across it. */
export function writePending(body: Body): void {
  for (const [name, bound] of body.values) if (bound.kind === 'pending') nameValue(body, name)
}

/** Gives a waiting value a name and a line. */
export function nameValue(body: Body, name: string): void {
  const bound = body.values.get(name)
  if (bound?.kind === 'pending') writeConst(body, bound.step, name, bound.code)
}

/** A name that the IR has from an operator says what is done; the thing that comes of it has another one. */
function nounFor({ env }: Body, step: Step, name: string): string {
  const { op, attrs } = step
  const stem = stemOf(name)
  if (op === 'call') return resultNoun(funcOf(env, String(attrs.func)), stem)
  if (isFilling(step, stem)) return attrs.value === 0 ? 'zeros' : attrs.value === 1 ? 'ones' : 'full'
  return stem === op ? (nouns.get(op) ?? stem) : name
}

/** A name without the numbers that tell it from others. */
export function stemOf(name: string): string {
  return name.replace(/(\.\d+)+$/, '')
}

/** A tensor of one value, or what simplification has made one. */
export function isFilling({ op }: Step, stem: string): boolean {
  return op === 'full' && (stem === op || stem === 'broadcast_to')
}

/** What a module gives is its output; other functions are called after what they give. */
function resultNoun({ declaration, role }: Func, stem: string): string {
  if (stem !== functionName(declaration) && !declaration.split('.').includes(stem)) return stem
  return role === 'loss' ? 'loss' : role === 'forward' ? 'output' : stem
}

const nouns: ReadonlyMap<string, string> = new Map([
  ['add', 'sum'],
  ['sub', 'difference'],
  ['mul', 'product'],
  ['div', 'ratio'],
  ['neg', 'negative'],
  ['cast', 'converted'],
  ['reshape', 'reshaped'],
  ['lt', 'less'],
  ['gt', 'greater'],
  ['eq', 'equal'],
])

/** Writes a value as a local constant. */
export function writeConst(
  body: Body,
  step: Step,
  name: string,
  code: Code,
  wanted = nounFor(body, step, name),
): void {
  const local = localName(body.scope, wanted.replace(/^(random|reduce)_/, ''))
  body.lines.push(statement(ts`const ${local} = ${code}`, traceOf(body.env, step.origin)))
  body.values.set(name, { kind: 'code', code: local })
}

/** Host arguments of a call, as numbers. */
export function hostArguments(body: Body, exprs: readonly HostExpr[]): readonly Code[] {
  return exprs.map(expr => hostCode(expr, body.host))
}
