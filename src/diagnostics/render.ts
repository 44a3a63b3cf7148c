import { lineText, positionAt, type Source, type Span } from '../base/source.ts'
import type { Diagnostic, Fix, Label, Severity } from './diagnostic.ts'
import { columns, type DisplayLine, displayLine, displayWidth, printable } from './display.ts'

/** What can be shown as a diagnostic: one of the compiler's, or a complaint of the command line that has no place in a file. */
export type Renderable = Omit<Diagnostic, 'code' | 'span' | 'cause'> & {
  readonly code: string
  readonly span: Span | undefined
}

export interface RenderOptions {
  readonly color: boolean
  /** Columns that lines of source are clipped to. */
  readonly width: number
}

/** Something to underline on one line: where its marks stand, in columns, and what they say. */
interface Mark {
  readonly line: number
  readonly from: number
  readonly to: number
  readonly text: string
  readonly primary: boolean
}

type Style = 'error' | 'warning' | 'note' | 'bold' | 'removed' | 'added'
const ansi: Readonly<Record<Style, string>> = {
  error: '1;31',
  warning: '1;33',
  note: '1;36',
  bold: '1',
  removed: '31',
  added: '32',
}

/** What every part of one rendering needs to know. */
interface Page {
  readonly gutter: number
  /** Columns left for source text. */
  readonly room: number
  readonly severity: Severity
  readonly paint: (style: Style, text: string) => string
}

/** A diagnostic as a person reads it in a terminal; no line break at the end. */
export function renderDiagnostic(d: Renderable, options: RenderOptions): string {
  const paint = (style: Style, text: string) =>
    options.color && text !== '' ? `\u001b[${ansi[style]}m${text}\u001b[0m` : text
  const gutter = String(Math.max(1, ...spansOf(d).map(lastLineShown))).length
  const page: Page = { gutter, room: Math.max(20, options.width - gutter - 3), severity: d.severity, paint }
  const head = `${paint(d.severity, `${d.severity}[${d.code}]`)}${paint('bold', `: ${printable(d.message)}`)}`
  return [head, ...frames(d, page), ...helpLines(d, page), ...(d.fix ? fixLines(d.fix, page) : [])].join('\n')
}

function spansOf(d: Renderable): readonly Span[] {
  return [...(d.span ? [d.span] : []), ...d.labels.map(label => label.span), ...(d.fix ? [d.fix.span] : [])]
}

function lastLineShown(span: Span): number {
  return positionAt(span.source, span.end).line
}

// ── Frames ──────────────────────────────────────────────────────────────────────────────────────────────────────────

/** One frame for each file, the one that the diagnostic is about first. */
function frames(d: Renderable, page: Page): readonly string[] {
  if (!d.span) return []
  const { source } = d.span
  const main: Label = { span: d.span, text: d.note ?? '' }
  const others = [...new Set(d.labels.map(label => label.span.source))].filter(other => other !== source)
  const labelsIn = (file: Source) => d.labels.filter(label => label.span.source === file)
  return [
    ...frame(main.span, [markOf(main, true), ...labelsIn(source).map(label => markOf(label, false))], page),
    ...others.flatMap(file => {
      const labels = labelsIn(file)
      return labels[0]
        ? frame(
            labels[0].span,
            labels.map(label => markOf(label, false)),
            page,
          )
        : []
    }),
  ]
}

/** A span of several lines is underlined on its first. */
function markOf(label: Label, primary: boolean): Mark {
  const { source, start, end } = label.span
  const { line, column } = positionAt(source, start)
  const text = lineText(source, line)
  const shown = displayLine(text)
  const last = Math.min(column - 1 + (end - start), Math.max(column - 1, text.trimEnd().length))
  const from = shown.columnAt(column - 1)
  return { line, from, to: Math.max(from + 1, shown.columnAt(last)), text: label.text, primary }
}

function frame(place: Span, marks: readonly Mark[], page: Page): readonly string[] {
  const { line, column } = positionAt(place.source, place.start)
  const arrow = page.paint('note', '-->')
  const lines = [
    `${' '.repeat(page.gutter)}${arrow} ${printable(place.source.name)}:${line}:${column}`,
    rule(page),
  ]
  const numbers = [...new Set(marks.map(mark => mark.line))].sort((a, b) => a - b)
  numbers.forEach((number, i) => {
    lines.push(...gap(place.source, numbers[i - 1], number, page))
    lines.push(...markedLine(place.source, number, marks, page))
  })
  return lines
}

/** Between two marked lines: the line between them if it is one, else dots. */
function gap(source: Source, before: number | undefined, line: number, page: Page): readonly string[] {
  if (before === undefined || line === before + 1) return []
  if (line > before + 2) return [page.paint('note', '...')]
  return [numbered(before + 1, columns(displayLine(lineText(source, before + 1)), 0, page.room), page)]
}

function markedLine(source: Source, line: number, marks: readonly Mark[], page: Page): readonly string[] {
  const here = marks
    .filter(mark => mark.line === line)
    .sort((a, b) => Number(b.primary) - Number(a.primary) || a.from - b.from)
  const shown = displayLine(lineText(source, line))
  const first = here[0]
  if (!first) return []
  const view = viewOf(shown, first, page.room)
  return [numbered(line, view.text, page), ...here.flatMap(mark => markLines(shiftMark(mark, view), page))]
}

// ── Long lines ──────────────────────────────────────────────────────────────────────────────────────────────────────

interface View {
  readonly text: string
  /** What to add to a column of the line. */
  readonly shift: number
  readonly end: number
}

/** The part of a line around a mark that fits, with dots where something was left out. */
function viewOf(line: DisplayLine, mark: Pick<Mark, 'from' | 'to'>, room: number): View {
  if (line.width <= room) return { text: columns(line, 0, line.width), shift: 0, end: line.width }
  const middle = mark.from + Math.min(mark.to - mark.from, room / 2) / 2
  const from = Math.max(0, Math.min(Math.round(middle - room / 2), line.width - room))
  const to = from + room
  const head = from > 0 ? '...' : ''
  const tail = to < line.width ? '...' : ''
  const text = head + columns(line, from + head.length, to - tail.length) + tail
  return { text, shift: -from, end: room }
}

function shiftMark(mark: Mark, view: View): Mark {
  const from = Math.max(0, Math.min(mark.from + view.shift, view.end))
  return { ...mark, from, to: Math.max(from + 1, Math.min(mark.to + view.shift, view.end)) }
}

// ── Rows ────────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Columns by which a note may hang over the edge, since it reads best beside its carets. */
const overhang = 20

/** The marks, and what they say: beside them if that fits, else below. */
function markLines(mark: Mark, page: Page): readonly string[] {
  const style: Style = mark.primary ? page.severity : 'note'
  const marks = page.paint(style, (mark.primary ? '^' : '-').repeat(mark.to - mark.from))
  const text = mark.text === '' ? [] : printable(mark.text).split('\n')
  const width = Math.max(0, ...text.map(displayWidth))
  const beside = mark.to + 1 + width <= page.room + overhang
  const column = beside ? mark.to + 1 : Math.max(0, Math.min(mark.from, page.room - width))
  const rows = text.map(row => ' '.repeat(column) + page.paint(style, row))
  const first = ' '.repeat(mark.from) + marks
  const texts =
    beside && rows.length > 0
      ? [`${first} ${page.paint(style, text[0] ?? '')}`, ...rows.slice(1)]
      : [first, ...rows]
  return texts.map(row => `${rule(page)} ${row}`)
}

function rule(page: Page): string {
  return page.paint('note', `${' '.repeat(page.gutter)} |`)
}

function numbered(line: number, text: string, page: Page): string {
  return `${page.paint('note', `${String(line).padStart(page.gutter)} |`)} ${text}`.trimEnd()
}

function helpLines(d: Renderable, page: Page): readonly string[] {
  return d.help === undefined ? [] : remark('help', d.help, page)
}

/** `= help: …`; further lines of the text stand under its first. */
function remark(word: string, text: string, page: Page): readonly string[] {
  const [first = '', ...rest] = printable(text).split('\n')
  const margin = ' '.repeat(page.gutter + 1)
  const indent = ' '.repeat(page.gutter + word.length + 5)
  return [
    `${margin}${page.paint('note', `= ${word}:`)} ${first}`,
    ...rest.map(row => (row === '' ? '' : indent + row)),
  ]
}

// ── Fixes ───────────────────────────────────────────────────────────────────────────────────────────────────────────

/** More lines than these on a side say less than the title. */
const longestFix = 5

/** What to do, and the lines before and after. */
function fixLines(fix: Fix, page: Page): readonly string[] {
  const title = remark('fix', fix.title, page)
  const first = positionAt(fix.span.source, fix.span.start)
  const last = positionAt(fix.span.source, fix.span.end)
  const old = range(first.line, last.line).map(line => lineText(fix.span.source, line))
  const head = (old[0] ?? '').slice(0, first.column - 1)
  const tail = (old.at(-1) ?? '').slice(last.column - 1)
  const after = (head + fix.replacement + tail).split('\n')
  if (Math.max(old.length, after.length) > longestFix) return title
  const row = (sign: '-' | '+', text: string, i: number) => {
    const line = displayLine(text)
    const column = i === 0 ? line.columnAt(first.column - 1) : 0
    const view = viewOf(line, { from: column, to: column + 1 }, page.room)
    const number = String(first.line + i).padStart(page.gutter)
    return `${page.paint('note', number)} ${page.paint(sign === '-' ? 'removed' : 'added', `${sign} ${view.text}`.trimEnd())}`
  }
  return [
    ...title,
    rule(page),
    ...old.map((text, i) => row('-', text, i)),
    ...after.map((text, i) => row('+', text, i)),
  ]
}

function range(from: number, to: number): readonly number[] {
  return Array.from({ length: to - from + 1 }, (_, i) => from + i)
}

// ── Summary and JSON ────────────────────────────────────────────────────────────────────────────────────────────────

/** `2 errors, 1 warning`; empty where there is nothing to count. */
export function summarize(diagnostics: readonly { readonly severity: Severity }[]): string {
  const severities: readonly Severity[] = ['error', 'warning']
  const counted = severities.map(
    severity => [diagnostics.filter(d => d.severity === severity).length, severity] as const,
  )
  const told = counted.filter(([count]) => count > 0)
  return told.map(([count, severity]) => `${count} ${severity}${count === 1 ? '' : 's'}`).join(', ')
}

/** A place for programs: lines and columns from 1, columns in UTF-16 units, the end exclusive. */
export interface JsonPlace {
  readonly file: string
  readonly line: number
  readonly column: number
  readonly endLine: number
  readonly endColumn: number
}

/** A diagnostic for programs; everything is always there, `null` where there is nothing to say. */
export interface JsonDiagnostic extends Nullable<JsonPlace> {
  readonly code: string
  readonly severity: Severity
  readonly message: string
  readonly note: string | null
  readonly labels: readonly (JsonPlace & { readonly text: string })[]
  readonly help: string | null
  readonly fix: (JsonPlace & { readonly title: string; readonly replacement: string }) | null
}
type Nullable<T> = { readonly [K in keyof T]: T[K] | null }

/** A diagnostic as plain JSON. */
export function renderJson(d: Renderable): JsonDiagnostic {
  const { code, severity, message } = d
  return {
    code,
    severity,
    message,
    ...(d.span ? placeOf(d.span) : { file: null, line: null, column: null, endLine: null, endColumn: null }),
    note: d.note ?? null,
    labels: d.labels.map(label => ({ ...placeOf(label.span), text: label.text })),
    help: d.help ?? null,
    fix: d.fix ? { ...placeOf(d.fix.span), title: d.fix.title, replacement: d.fix.replacement } : null,
  }
}

function placeOf(span: Span): JsonPlace {
  const start = positionAt(span.source, span.start)
  const end = positionAt(span.source, span.end)
  return {
    file: span.source.name,
    line: start.line,
    column: start.column,
    endLine: end.line,
    endColumn: end.column,
  }
}
