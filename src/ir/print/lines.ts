import type { Origin } from '../ir.ts'

/** A line of the textual form, and where it came from where that is known of it. */
export interface Line {
  readonly text: string
  readonly origin?: Origin
}

/** A line without a place. */
export function line(text: string): Line {
  return { text }
}

/** A line that came from a place. */
export function traced(text: string, origin: Origin): Line {
  return { text, origin }
}

/** The lines two columns further in. */
export function indent(lines: readonly Line[]): readonly Line[] {
  return lines.map(({ text, ...rest }) => ({ text: text === '' ? '' : `  ${text}`, ...rest }))
}

/** Longer lines have their place right behind them and move no other. */
const farthestColumn = 100

/** Lines as text; with `locations`, places stand behind them, aligned within each group of lines between empty ones. */
export function layout(lines: readonly Line[], locations: boolean): string {
  if (!locations) return lines.map(({ text }) => `${text}\n`).join('')
  return groups(lines).map(withPlaces).join('\n')
}

function groups(lines: readonly Line[]): readonly (readonly Line[])[] {
  const found: Line[][] = [[]]
  for (const each of lines) {
    if (each.text === '') found.push([])
    else found.at(-1)?.push(each)
  }
  return found
}

function withPlaces(group: readonly Line[]): string {
  const widths = group.flatMap(each => (each.origin ? [each.text.length] : []))
  const column = Math.max(0, ...widths.filter(width => width <= farthestColumn))
  return group.map(each => `${withPlace(each, column)}\n`).join('')
}

function withPlace({ text, origin }: Line, column: number): string {
  return origin ? `${text.padEnd(column)}  # ${origin.file}:${origin.line}:${origin.column}` : text
}
