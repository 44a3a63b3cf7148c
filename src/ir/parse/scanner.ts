import { positionAt, type Source } from '../../base/source.ts'
import type { Origin } from '../ir.ts'

/** Text that is not IR. It is for whoever works on the compiler: users of the language never see IR being read. */
export class IrSyntaxError extends Error {
  readonly line: number
  readonly column: number
  constructor(message: string, line: number, column: number) {
    super(`${message} (line ${line}, column ${column})`)
    this.name = 'IrSyntaxError'
    this.line = line
    this.column = column
  }
}

const blank = /\s*/y
const path = /[A-Za-z_]\w*(?:\.\w+|\[\d+\])*/y
const quoted = /"(?:[^"\\]|\\.)*"/y
const numeral = /-?(?:inf(?!\w)|nan(?!\w)|\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)/y
const wholeNumeral = /\d+/y
const percent = /%(?=[A-Za-z_"])/y
const word = /^\w+$/

/** A place in IR text, and what can be read there. Line breaks are space except where {@link onThisLine} is asked. */
export class Scanner {
  private readonly source: Source
  private readonly origins: ReadonlyMap<number, Origin>
  private at = 0

  constructor(text: string) {
    const { code, origins } = splitComments(text)
    this.source = { name: 'IR', text: code }
    this.origins = origins
  }

  /** Whether nothing is left. */
  get done(): boolean {
    return this.start() >= this.source.text.length
  }

  /** The place that the line at hand says it came from. */
  origin(): Origin {
    const { line } = positionAt(this.source, this.start())
    return this.origins.get(line) ?? { file: '', line: 0, column: 0 }
  }

  /** Takes a word or a mark, if it stands here; space before it only then. */
  accept(text: string): boolean {
    const start = this.start()
    if (!this.source.text.startsWith(text, start)) return false
    // `read` is not the beginning of `reader` or of `read.value`.
    const end = start + text.length
    if (word.test(text) && /[\w.[]/.test(this.source.text.charAt(end))) return false
    this.at = end
    return true
  }

  /** Takes a word or a mark that must stand here. */
  expect(text: string): void {
    if (!this.accept(text)) this.fail(`expected \`${text}\``)
  }

  /** Whether the rest of the line, from here and including space, begins like this; takes nothing. */
  onThisLine(pattern: RegExp): boolean {
    pattern.lastIndex = this.at
    return pattern.test(this.source.text)
  }

  /** Takes what a sticky pattern matches here; space before it only then. */
  take(pattern: RegExp): string | undefined {
    const start = this.start()
    pattern.lastIndex = start
    const found = pattern.exec(this.source.text)
    if (!found) return undefined
    this.at = start + found[0].length
    return found[0]
  }

  /** One of several words. */
  oneOf<const T extends string>(choices: readonly T[]): T {
    const found = choices.find(choice => this.accept(choice))
    return found ?? this.fail(`expected ${choices.map(choice => `\`${choice}\``).join(', ')}`)
  }

  /** A name or a path; in quotes where it holds unusual characters. */
  name(): string {
    return this.take(path) ?? this.text('a name')
  }

  /** A name or a path without quotes, or nothing. */
  word(): string | undefined {
    return this.take(path)
  }

  /** A text in quotes. */
  text(what = 'a text in quotes'): string {
    const taken = this.take(quoted)
    if (taken === undefined) return this.fail(`expected ${what}`)
    try {
      return String(JSON.parse(taken))
    } catch {
      return this.fail('expected a text in quotes with the escapes of JSON')
    }
  }

  /** Whether a mark comes next. */
  atMark(mark: string): boolean {
    return this.source.text.startsWith(mark, this.start())
  }

  /** Whether a text in quotes comes next. */
  get atText(): boolean {
    return this.source.text.charAt(this.start()) === '"'
  }

  /** `%name`. */
  value(): string {
    return this.valueMaybe() ?? this.fail('expected a value such as `%x`')
  }

  /** `%name`, or nothing. */
  valueMaybe(): string | undefined {
    return this.take(percent) === undefined ? undefined : this.name()
  }

  /** A number with its sign. */
  number(): number {
    return this.numberMaybe() ?? this.fail('expected a number')
  }

  /** A number with its sign, or nothing. */
  numberMaybe(): number | undefined {
    const taken = this.take(numeral)
    return taken === undefined ? undefined : numberOf(taken)
  }

  /** A number of digits only, so that `0..64` is three things. */
  whole(): number {
    const taken = this.take(wholeNumeral)
    return taken === undefined ? this.fail('expected a whole number') : Number(taken)
  }

  /** The characters up to one of the marks that stands outside all brackets. */
  until(marks: string): string {
    const from = this.start()
    this.at = from
    let depth = 0
    for (; this.at < this.source.text.length; this.at++) {
      const char = this.source.text.charAt(this.at)
      if (char === '\n' || (depth === 0 && marks.includes(char))) break
      if (char === '(' || char === '[') depth++
      if (char === ')' || char === ']') depth--
    }
    return this.source.text.slice(from, this.at).trim()
  }

  /** Items between two marks, with commas between them and perhaps one behind the last. */
  list<T>(open: string, close: string, item: () => T): readonly T[] {
    this.expect(open)
    return this.items(close, item)
  }

  /** Items up to a mark, with commas between them. */
  items<T>(close: string, item: () => T): readonly T[] {
    const items: T[] = []
    while (!this.accept(close)) {
      items.push(item())
      if (this.accept(',')) continue
      this.expect(close)
      break
    }
    return items
  }

  /** Items until a mark, with nothing between them. */
  block<T>(close: string, item: () => T): readonly T[] {
    const items: T[] = []
    while (!this.accept(close)) items.push(item())
    return items
  }

  /** Says what is wrong here. */
  fail(message: string): never {
    const start = this.start()
    const { line, column } = positionAt(this.source, start)
    const rest = this.source.text.slice(start).split('\n', 1)[0] ?? ''
    throw new IrSyntaxError(
      `${message}, found ${rest === '' ? 'the end' : `\`${rest.trimEnd()}\``}`,
      line,
      column,
    )
  }

  /** Where the next thing starts. */
  private start(): number {
    blank.lastIndex = this.at
    blank.exec(this.source.text)
    return blank.lastIndex
  }
}

function numberOf(numeralText: string): number {
  const unsigned = numeralText.replace(/^-/, '')
  const size = unsigned === 'inf' ? Infinity : unsigned === 'nan' ? Number.NaN : Number(unsigned)
  return numeralText.startsWith('-') ? -size : size
}

const commented = /^((?:[^"#]|"(?:[^"\\]|\\.)*")*)#(.*)$/
const place = /^ ?(.*):(\d+):(\d+)\s*$/

/** Takes the comments out, so that all offsets stay; those that name a place are kept by line. */
function splitComments(text: string): {
  readonly code: string
  readonly origins: ReadonlyMap<number, Origin>
} {
  const origins = new Map<number, Origin>()
  const lines = text.split(/\r?\n/).map((each, i) => {
    const found = each.trimStart().startsWith('///') ? null : commented.exec(each)
    if (!found) return each
    const from = place.exec(found[2]!)
    if (from) origins.set(i + 1, { file: from[1]!, line: Number(from[2]), column: Number(from[3]) })
    return found[1]!.trimEnd()
  })
  return { code: lines.join('\n'), origins }
}
