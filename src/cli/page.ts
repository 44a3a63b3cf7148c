import pc from 'picocolors'
import type { RenderOptions } from '../diagnostics/render.ts'

type Colors = ReturnType<typeof pc.createColors>

/** A piece of a page: what stands between blank lines, or a block of code. */
type Piece =
  | { readonly kind: 'heading' | 'prose' | 'list'; readonly text: string }
  | { readonly kind: 'code'; readonly info: string; readonly lines: readonly string[] }

/**
 * A page of the documentation for a terminal: headlines, paragraphs, lists and code, of Markdown what these pages use. It
 * ends with a line break.
 */
export function renderPage(text: string, { color, width }: RenderOptions): string {
  const colors = pc.createColors(color)
  const shown = piecesOf(text.replaceAll('\r\n', '\n').split('\n')).map(piece => show(piece, width, colors))
  return `${shown.join('\n\n')}\n`
}

function piecesOf(lines: readonly string[]): readonly Piece[] {
  const pieces: Piece[] = []
  for (let at = 0; at < lines.length; ) {
    const line = lines[at] ?? ''
    const end = endOf(lines, at)
    const text = lines.slice(at, end)
    if (line.startsWith('```'))
      pieces.push({ kind: 'code', info: line.slice(3).trim(), lines: text.slice(1, -1) })
    else if (line.startsWith('#')) pieces.push({ kind: 'heading', text: line.replace(/^#+ /, '') })
    else if (line.startsWith('- ')) pieces.push({ kind: 'list', text: text.join('\n') })
    else if (line !== '') pieces.push({ kind: 'prose', text: text.join(' ') })
    at = end
  }
  return pieces
}

/** The line behind the piece that begins here. */
function endOf(lines: readonly string[], at: number): number {
  const first = lines[at] ?? ''
  if (first.startsWith('#') || first === '') return at + 1
  const isCode = first.startsWith('```')
  const last = lines.findIndex((line, i) => i > at && (isCode ? line.startsWith('```') : line === ''))
  if (last < 0) return lines.length
  return isCode ? last + 1 : last
}

function show(piece: Piece, width: number, colors: Colors): string {
  switch (piece.kind) {
    case 'heading':
      return colors.bold(inline(piece.text, colors))
    case 'prose':
      return inline(wrapped(plain(piece.text), width), colors)
    case 'list':
      return piece.text
        .split(/\n(?=- )/)
        .map(item => inline(wrapped(plain(item), width - 2).replaceAll('\n', '\n  '), colors))
        .join('\n')
    case 'code':
      return [...labelOf(piece.info, colors), ...piece.lines.map(line => `    ${line}`.trimEnd())].join('\n')
  }
}

/** What a block of ltm is an example of; blocks of other kinds need no word. */
function labelOf(info: string, colors: Colors): readonly string[] {
  const words = info.split(' ')
  if (words[0] !== 'ltm') return []
  return [words.includes('fails') ? colors.red('  does not compile:') : colors.green('  compiles:')]
}

/** Breaks between words; code, and what is longer than a line, stay whole. */
function wrapped(text: string, width: number): string {
  const lines: string[] = []
  for (const word of text.match(/(?:`[^`]*`|\S)+/g) ?? []) {
    const last = lines.at(-1)
    if (last !== undefined && last.length + 1 + word.length <= width)
      lines[lines.length - 1] = `${last} ${word}`
    else lines.push(word)
  }
  return lines.join('\n')
}

/** Links are told by their text. */
function plain(text: string): string {
  return text.replace(/\[([^\]]+)\]\([^)]+\)/g, '$1').replace(/\*\*([^*]+)\*\*/g, '$1')
}

/** Code keeps its backticks where there is no colour to tell it by. */
function inline(text: string, colors: Colors): string {
  return colors.isColorSupported ? text.replace(/`([^`]+)`/g, (_, code: string) => colors.cyan(code)) : text
}
