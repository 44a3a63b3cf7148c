import { type Code, renderCode, type Target, ts } from '../base/code.ts'
import { fold } from './fold.ts'

/** How wide a generated line may be. */
export const lineWidth = 110
/** A trace may stand out a little, which reads better than code that is folded for its sake. */
export const traceWidth = 120

/** A statement of the target language, before it is laid out. */
export interface Statement {
  readonly kind: 'statement'
  /** The whole statement, or its opening line where it has a body. */
  readonly code: Code
  /** Statements between `code` and `close`, one step further in. */
  readonly body?: readonly Line[]
  readonly close?: Code
  /** The statements of an `else`. */
  readonly otherwise?: readonly Line[]
  /** Where it comes from: printed behind it as `// digits.ltm:12`. */
  readonly trace?: string
  /** Exists only in TypeScript, such as a type alias. */
  readonly typeOnly?: boolean
}
/** Text that stands on lines of its own: documentation, a section's rule, an empty line. */
export interface Verbatim {
  readonly kind: 'verbatim'
  readonly text: string
  readonly typeOnly?: boolean
}
export type Line = Statement | Verbatim

/** A statement of one piece of text. */
export function statement(code: Code, trace?: string): Statement {
  return trace === undefined ? { kind: 'statement', code } : { kind: 'statement', code, trace }
}

/** Lines as they are. */
export function verbatim(text: string): Verbatim {
  return { kind: 'verbatim', text }
}

/** An empty line. */
export const blank: Verbatim = verbatim('')

/** The text of a program: at most {@link lineWidth} wide, traces aligned where neighbours have them. */
export function layout(lines: readonly Line[], target: Target): string {
  return `${layoutLines(lines, 0, target).join('\n')}\n`
}

/** A line of text, and the trace that is still to be put behind it. */
interface Traced {
  readonly text: string
  readonly trace?: string
}

function layoutLines(lines: readonly Line[], indent: number, target: Target): readonly string[] {
  const shown = lines.filter(line => !line.typeOnly || target === 'typescript')
  let last: string | undefined
  const traced = shown.flatMap(line => {
    if (line.kind === 'verbatim') return indented(line.text.split('\n'), indent)
    const repeated = line.trace === last
    last = line.trace
    return layoutStatement(line, repeated ? undefined : line.trace, indent, target)
  })
  return alignTraces(traced)
}

function layoutStatement(
  { code, body, close = '', otherwise }: Statement,
  trace: string | undefined,
  indent: number,
  target: Target,
): readonly Traced[] {
  const head = foldTraced(renderCode(code, target), trace, indent)
  if (body === undefined) return head
  const inner = (lines: readonly Line[]): readonly Traced[] =>
    layoutLines(lines, indent + 2, target).map(text => ({ text }))
  const next = otherwise && chained(otherwise)
  if (next !== undefined) {
    const rest = layoutStatement({ ...next, code: ts`} else ${next.code}` }, next.trace, indent, target)
    return [...head, ...inner(body), ...rest]
  }
  const middle = otherwise === undefined ? [] : [...indented(['} else {'], indent), ...inner(otherwise)]
  return [...head, ...inner(body), ...middle, ...indented([renderCode(close, target)], indent)]
}

/** The only statement of an `else`, where it is an `if` itself. */
function chained(lines: readonly Line[]): Statement | undefined {
  const [only] = lines
  if (lines.length !== 1 || only?.kind !== 'statement' || only.body === undefined) return undefined
  return renderCode(only.code, 'javascript').startsWith('if (') ? only : undefined
}

/** A line that its trace makes too long folds; the trace stands behind its first line, or the last where only that has room. */
function foldTraced(text: string, trace: string | undefined, indent: number): readonly Traced[] {
  const tail = trace === undefined ? 0 : trace.length + 4
  const [first = '', ...rest] = fold(text, indent, lineWidth, Math.max(0, tail - (traceWidth - lineWidth)))
  const lines: Traced[] = [`${' '.repeat(indent)}${first}`, ...rest].map(line => ({ text: line }))
  if (trace === undefined) return lines
  const at = lines.findIndex(line => line.text.length + tail <= traceWidth)
  return lines.map((line, i) => (i === at ? { ...line, trace } : line))
}

function indented(lines: readonly string[], indent: number): readonly Traced[] {
  return lines.map(line => ({ text: line === '' ? '' : `${' '.repeat(indent)}${line}` }))
}

/** Traces of neighbouring lines stand in one column as long as none is pushed far from its line or over the edge. */
function alignTraces(lines: readonly Traced[]): readonly string[] {
  const result: string[] = []
  for (let start = 0; start < lines.length; ) {
    let end = start + 1
    if (lines[start]!.trace !== undefined) while (lines[end]?.trace !== undefined) end += 1
    result.push(...alignRun(lines.slice(start, end)))
    start = end
  }
  return result
}

/** A trace stands at most so far behind its line. */
const widestGap = 32

function alignRun(run: readonly Traced[]): readonly string[] {
  const result: string[] = []
  for (let start = 0; start < run.length; ) {
    let end = start + 1
    while (end < run.length && aligns(run.slice(start, end + 1))) end += 1
    const widest = Math.max(...run.slice(start, end).map(line => line.text.length))
    for (const { text, trace } of run.slice(start, end)) {
      result.push(trace === undefined ? text : `${text.padEnd(widest)} // ${trace}`)
    }
    start = end
  }
  return result
}

function aligns(run: readonly Traced[]): boolean {
  const lengths = run.map(line => line.text.length)
  const widest = Math.max(...lengths)
  return (
    widest - Math.min(...lengths) <= widestGap &&
    run.every(({ trace = '' }) => widest + trace.length + 4 <= traceWidth)
  )
}
