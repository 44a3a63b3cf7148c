/** A text with a name. The name is what diagnostics print, usually a path as the user gave it. */
export interface Source {
  readonly name: string
  readonly text: string
}

/** A half-open range of character offsets, `[start, end)`, in one source. */
export interface Span {
  readonly source: Source
  readonly start: number
  readonly end: number
}

/** A place as people count it: lines and columns from 1, columns in UTF-16 units. */
export interface Position {
  readonly line: number
  readonly column: number
}

const lineStartsOf = new WeakMap<Source, readonly number[]>()

/** The offset at which each line begins; computed once for a source. */
export function lineStarts(source: Source): readonly number[] {
  const known = lineStartsOf.get(source)
  if (known) return known
  const starts = [0]
  for (let i = 0; i < source.text.length; i++) if (source.text.charCodeAt(i) === 10) starts.push(i + 1)
  lineStartsOf.set(source, starts)
  return starts
}

/** Line and column of an offset, by binary search over the line starts. */
export function positionAt(source: Source, offset: number): Position {
  const starts = lineStarts(source)
  let low = 0
  let high = starts.length - 1
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if (starts[middle]! <= offset) low = middle
    else high = middle - 1
  }
  return { line: low + 1, column: offset - starts[low]! + 1 }
}

/** The text of one line, without its line break. Lines count from 1. */
export function lineText(source: Source, line: number): string {
  const starts = lineStarts(source)
  const start = starts[line - 1]
  if (start === undefined) return ''
  const end = starts[line] ?? source.text.length + 1
  return source.text.slice(start, end - 1).replace(/\r$/, '')
}

/** The smallest span that holds both; they must lie in one source. */
export function spanning(first: Span, last: Span): Span {
  return {
    source: first.source,
    start: Math.min(first.start, last.start),
    end: Math.max(first.end, last.end),
  }
}

/** The characters of a span. */
export function textOf(span: Span): string {
  return span.source.text.slice(span.start, span.end)
}
