/**
 * Documents that know where they may be broken, after Wadler's "A prettier printer" (2003): a group is written on one line
 * where it fits, else its lines break.
 */
export type Doc =
  | string
  | readonly Doc[]
  | { readonly kind: 'indent'; readonly content: Doc }
  /** One that `opens` takes no room of what stands before it: its first line may end behind its bracket. */
  | { readonly kind: 'group'; readonly content: Doc; readonly broken: boolean; readonly opens: boolean }
  /** A line break in a broken group; else a space, or nothing for a soft one. */
  | { readonly kind: 'line'; readonly soft: boolean }
  /** Always breaks, and so do the groups around it. `blank` leaves an empty line. */
  | { readonly kind: 'newline'; readonly blank: boolean }
  | { readonly kind: 'choice'; readonly broken: Doc; readonly flat: Doc }
  /** Stands at the end of the line, whatever follows on it; the line ends there. */
  | { readonly kind: 'comment'; readonly text: string }
  /** What stands behind a `=`: on its line, or whole on the next; one that `opens` is broken on the line it fits least. */
  | { readonly kind: 'behind'; readonly content: Doc; readonly opens: boolean }
  /** Items and separators in turn: as many on a line as fit. */
  | { readonly kind: 'fill'; readonly parts: readonly Doc[] }

export const line: Doc = { kind: 'line', soft: false }
export const softline: Doc = { kind: 'line', soft: true }
export const newline: Doc = { kind: 'newline', blank: false }
export const blankLine: Doc = { kind: 'newline', blank: true }
export const indent = (content: Doc): Doc => ({ kind: 'indent', content })
export const choice = (broken: Doc, flat: Doc): Doc => ({ kind: 'choice', broken, flat })
export const comment = (text: string): Doc => ({ kind: 'comment', text })
export const behind = (content: Doc, opens: boolean): Doc => ({ kind: 'behind', content, opens })
export const fill = (parts: readonly Doc[]): Doc => ({ kind: 'fill', parts })

export function group(content: Doc, broken = false, opens = false): Doc {
  return { kind: 'group', content, broken: broken || mustBreak(content), opens }
}

export function join(docs: readonly Doc[], separator: Doc): readonly Doc[] {
  return docs.flatMap((doc, i) => (i === 0 ? [doc] : [separator, doc]))
}

function mustBreak(doc: Doc): boolean {
  if (typeof doc === 'string') return false
  if (!('kind' in doc)) return doc.some(mustBreak)
  switch (doc.kind) {
    case 'newline':
    case 'comment':
      return true
    case 'group':
      return doc.broken
    case 'indent':
    case 'behind':
      return mustBreak(doc.content)
    case 'fill':
      return doc.parts.some(mustBreak)
    case 'choice':
    case 'line':
      return false
  }
}

interface Command {
  readonly indentation: number
  readonly flat: boolean
  readonly doc: Doc
}

/** The text of a document, its lines at most `width` wide where breaks allow. */
export function print(doc: Doc, width: number): string {
  const out = new Output(width)
  const stack: Command[] = [{ indentation: 0, flat: false, doc }]
  for (let command = stack.pop(); command !== undefined; command = stack.pop()) step(command, stack, out)
  return out.text()
}

/** The lines written so far; comments wait for the end of theirs. */
class Output {
  readonly width: number
  #lines: string[] = []
  #line = ''
  #waiting: string[] = []

  constructor(width: number) {
    this.width = width
  }

  write(text: string): void {
    this.#line += text
  }

  get room(): number {
    return this.width - this.#line.length
  }

  wait(text: string): void {
    this.#waiting.push(text)
  }

  end(indentation: number, blank: boolean): void {
    this.#flush()
    if (blank && this.#lines.at(-1) !== '') this.#lines.push('')
    this.#line = ' '.repeat(indentation)
  }

  #flush(): void {
    const suffix = this.#waiting.map(text => ` ${text}`).join('')
    this.#lines.push((this.#line + suffix).trimEnd())
    this.#waiting = []
    this.#line = ''
  }

  text(): string {
    this.#flush()
    return `${this.#lines.join('\n').trimEnd()}\n`
  }
}

function step({ indentation, flat, doc }: Command, stack: Command[], out: Output): void {
  if (typeof doc === 'string') return out.write(doc)
  if (!('kind' in doc)) {
    for (const part of doc.toReversed()) stack.push({ indentation, flat, doc: part })
    return
  }
  switch (doc.kind) {
    case 'indent':
      return void stack.push({ indentation: indentation + 2, flat, doc: doc.content })
    case 'group': {
      const whole: Command = { indentation, flat: true, doc: doc.content }
      const together = flat || (!doc.broken && fits(whole, stack, out.room))
      return void stack.push({ indentation, flat: together, doc: doc.content })
    }
    case 'line':
      if (!flat) return out.end(indentation, false)
      return doc.soft ? undefined : out.write(' ')
    case 'newline':
      return out.end(indentation, doc.blank)
    case 'choice':
      return void stack.push({ indentation, flat, doc: flat ? doc.flat : doc.broken })
    case 'comment':
      return out.wait(doc.text)
    case 'behind':
      return stepBehind(doc, indentation, flat, stack, out)
    case 'fill':
      return stepFill(doc.parts, indentation, flat, stack, out)
  }
}

function stepBehind(
  { content, opens }: Extract<Doc, { readonly kind: 'behind' }>,
  indentation: number,
  flat: boolean,
  stack: Command[],
  out: Output,
): void {
  const whole: Command = { indentation, flat: true, doc: content }
  const below = indentation + 2
  if (flat || (!mustBreak(content) && fits(whole, stack, out.room - 1))) {
    out.write(' ')
    return void stack.push(whole)
  }
  if (!mustBreak(content) && (!opens || fits(whole, stack, out.width - below))) {
    out.end(below, false)
    return void stack.push({ indentation: below, flat: false, doc: content })
  }
  out.write(' ')
  stack.push({ indentation, flat: false, doc: content })
}

function stepFill(
  [item, separator, ...rest]: readonly Doc[],
  indentation: number,
  flat: boolean,
  stack: Command[],
  out: Output,
): void {
  if (item === undefined) return
  const next = rest[0]
  if (separator !== undefined && next !== undefined) {
    stack.push({ indentation, flat, doc: fill(rest) })
    const both: Command = { indentation, flat: true, doc: [item, separator, next] }
    stack.push({ indentation, flat: fits(both, [], out.room), doc: separator })
  }
  stack.push({ indentation, flat, doc: item })
}

/** Whether a command, and what follows it up to the next place where a line may end, fits into so many columns. */
function fits(command: Command, after: readonly Command[], room: number): boolean {
  let left = room
  const stack = [command]
  let next = after.length
  while (left >= 0) {
    const current = stack.pop() ?? after[--next]
    if (current === undefined) return true
    const { doc, flat, indentation } = current
    if (typeof doc === 'string') left -= doc.length
    else if (!('kind' in doc))
      for (const part of doc.toReversed()) stack.push({ flat, indentation, doc: part })
    else if (doc.kind === 'newline') return true
    else if (doc.kind === 'behind') {
      if (!flat) return true
      stack.push({ flat, indentation, doc: [' ', doc.content] })
    } else if (doc.kind === 'line') {
      if (!flat) return true
      left -= doc.soft ? 0 : 1
    } else if (doc.kind === 'choice') stack.push({ flat, indentation, doc: flat ? doc.flat : doc.broken })
    else if (doc.kind === 'group')
      stack.push({ flat: flat || !(doc.broken || doc.opens), indentation, doc: doc.content })
    else if (doc.kind === 'indent') stack.push({ flat, indentation, doc: doc.content })
    else if (doc.kind === 'fill') stack.push({ flat, indentation, doc: doc.parts })
  }
  return false
}
