/**
 * Wraps one long piece of JavaScript or TypeScript text: the outermost brackets open first, one item a line, lists of
 * plain numbers stay packed, and a last argument that is a literal or a function hugs its call.
 */

/** Text between brackets is a group; everything else stays as it is. */
type Piece = string | Group
type Item = readonly Piece[]
interface Group {
  readonly open: string
  readonly close: string
  /** Round brackets that hold arguments or parameters; others only group an expression. */
  readonly call: boolean
  /** Square brackets behind what they index: a comma at their end would be an error. */
  readonly index: boolean
  readonly separator: ',' | ';'
  readonly items: readonly Item[]
}

/** Where a text stands: the column of its first character, the indentation of its line, and what must fit behind it. */
interface Place {
  readonly indent: number
  readonly column: number
  readonly width: number
  readonly tail: number
}

/** The lines of a text that starts at `indent`, the first without its indentation; `tail` columns stay free at the end. */
export function fold(text: string, indent: number, width: number, tail = 0): readonly string[] {
  if (indent + text.length + tail <= width) return [text]
  if (text.endsWith(' {')) return foldHead(text, indent, width)
  return foldItem(parse(text), { indent, column: indent, width, tail }).split('\n')
}

/** The opening line of a block folds without its brace; one that leaves other brackets open stays in one line. */
function foldHead(text: string, indent: number, width: number): readonly string[] {
  const head = text.slice(0, -2)
  if (!isBalanced(head)) return [text]
  return `${foldItem(parse(head), { indent, column: indent, width, tail: 2 })} {`.split('\n')
}

function isBalanced(text: string): boolean {
  const brackets = text.replace(/'(?:[^'\\]|\\.)*'|"[^"]*"/g, '')
  return '([{'.split('').every(open => brackets.split(open).length === brackets.split(closing[open]!).length)
}

// ── Reading ─────────────────────────────────────────────────────────────────────────────────────────────────────────

const closing: Readonly<Record<string, string>> = { '(': ')', '[': ']', '{': '}', '<': '>' }

interface Reader {
  readonly text: string
  at: number
}

function parse(text: string): Item {
  return readItem({ text, at: 0 }, '')
}

/** Reads up to a separator or bracket that belongs to the surrounding group; `''` means the text's end. */
function readItem(reader: Reader, close: string): Item {
  const pieces: Piece[] = []
  let plain = ''
  while (reader.at < reader.text.length) {
    const char = reader.text[reader.at]!
    if (close !== '' && (char === close || char === ',' || (char === ';' && close === '}'))) break
    if (opensGroup(reader, char)) {
      if (plain !== '') pieces.push(plain)
      plain = ''
      pieces.push(readGroup(reader, char))
    } else plain += readPlain(reader, char)
  }
  if (plain !== '') pieces.push(plain)
  return trimmed(pieces)
}

/** An angle bracket opens a group only right behind a name, as in `Record<…>`; a comparison has a space before it. */
function opensGroup({ text, at }: Reader, char: string): boolean {
  if (char === '<') return at > 0 && /[\w$]/.test(text[at - 1]!)
  return char in closing
}

function readGroup(reader: Reader, open: string): Group {
  const close = closing[open]!
  const behind = /[\w$)\]>]/.test(reader.text[reader.at - 1] ?? '')
  const [call, index] = [open === '(' && behind, open === '[' && behind]
  const items: Item[] = []
  let separator: Group['separator'] = ','
  reader.at += 1
  for (;;) {
    const item = readItem(reader, close)
    if (item.length > 0) items.push(item)
    const end = reader.text[reader.at]
    reader.at += 1
    if (end === ';') separator = ';'
    if (end === close || end === undefined) return { open, close, call, index, separator, items }
  }
}

function readPlain(reader: Reader, char: string): string {
  const start = reader.at
  reader.at += 1
  if (char === "'" || char === '"' || char === '`') skipString(reader, char)
  return reader.text.slice(start, reader.at)
}

function skipString(reader: Reader, quote: string): void {
  while (reader.at < reader.text.length) {
    const char = reader.text[reader.at]!
    reader.at += char === '\\' ? 2 : 1
    if (char === quote) return
  }
}

function trimmed(pieces: readonly Piece[]): Item {
  const last = pieces.length - 1
  return pieces
    .map((piece, i) => {
      if (typeof piece !== 'string') return piece
      const start = i === 0 ? piece.trimStart() : piece
      return i === last ? start.trimEnd() : start
    })
    .filter(piece => piece !== '')
}

// ── Writing ─────────────────────────────────────────────────────────────────────────────────────────────────────────

function flat(item: Item): string {
  return item.map(piece => (typeof piece === 'string' ? piece : flatGroup(piece))).join('')
}

function flatGroup({ open, close, separator, items }: Group): string {
  if (items.length === 0) return open + close
  const pad = open === '{' ? ' ' : ''
  return open + pad + items.map(flat).join(`${separator} `) + pad + close
}

function foldItem(item: Item, place: Place): string {
  const text = flat(item)
  if (place.column + text.length + place.tail <= place.width) return text
  const arrow = foldArrow(item, place)
  if (arrow !== undefined) return arrow
  for (const i of breakable(item)) {
    const before = flat(item.slice(0, i))
    const after = flat(item.slice(i + 1))
    if (place.column + before.length + 1 > place.width) continue
    const column = place.column + before.length
    const folded = foldGroup(item[i] as Group, { ...place, column, tail: place.tail + after.length })
    if (fits(folded + after, column, place)) return before + folded + after
  }
  return foldOperators(text, place) ?? foldFirst(item, place) ?? text
}

/** `key =>` and, in a line of its own, an expression that fits there. */
function foldArrow(item: Item, { indent, width, tail }: Place): string | undefined {
  const at = item.findIndex(piece => typeof piece === 'string' && /=> [^({]/.test(piece))
  const piece = item[at]
  if (typeof piece !== 'string') return undefined
  const end = piece.indexOf('=> ') + 2
  const head = flat([...item.slice(0, at), piece.slice(0, end)])
  const body = flat([piece.slice(end + 1), ...item.slice(at + 1)])
  const inner = indent + 2
  return inner + body.length + tail <= width ? `${head}\n${' '.repeat(inner)}${body}` : undefined
}

/** Type arguments stay together, as an index does: a comma at their end would be an error. */
function opens({ open, index, items }: Group): boolean {
  return items.length > 0 && open !== '<' && !index
}

/** Places of the groups that may open, in order of preference: a function's parameters first, elsewhere the last group. */
function breakable(item: Item): readonly number[] {
  const places = item.flatMap((piece, i) => (typeof piece !== 'string' && opens(piece) ? [i] : []))
  const head = item[0]
  return typeof head === 'string' && /^(export |async )*function\b/.test(head) ? places : places.reverse()
}

function fits(text: string, column: number, { width, tail }: Place): boolean {
  const lines = text.split('\n')
  return lines.every((line, i) => {
    const start = i === 0 ? column : 0
    return start + line.length + (i === lines.length - 1 ? tail : 0) <= width
  })
}

/** Where nothing fits, opening the outermost group is still the most readable. */
function foldFirst(item: Item, place: Place): string | undefined {
  const i = breakable(item).at(-1)
  if (i === undefined) return undefined
  const before = flat(item.slice(0, i))
  return (
    before +
    foldGroup(item[i] as Group, { ...place, column: place.column + before.length }) +
    flat(item.slice(i + 1))
  )
}

function foldGroup(group: Group, place: Place): string {
  return packed(group, place) ?? hugged(group, place) ?? opened(group, place)
}

/** `model('net', {` … `})`: the last argument opens and the call around it does not. */
function hugged(group: Group, place: Place): string | undefined {
  const last = group.items.at(-1)
  if (group.open !== '(' || last === undefined || !hugs(last)) return undefined
  const others = group.items.slice(0, -1).map(flat).join(', ')
  const head = others === '' ? '(' : `(${others}, `
  if (place.column + head.length + 20 > place.width) return undefined
  const folded = foldItem(last, { ...place, column: place.column + head.length, tail: place.tail + 1 })
  const text = `${head}${folded})`
  return fits(text, place.column, place) ? text : undefined
}

function hugs(item: Item): boolean {
  const [head] = item
  return (
    (item.length === 1 && typeof head !== 'string' && head?.open !== '(') ||
    item.some(piece => typeof piece === 'string' && piece.includes('=> '))
  )
}

/** Lists of plain things fill their lines. */
function packed(group: Group, { indent, width }: Place): string | undefined {
  const items = group.items.map(flat)
  if (!packs(group, items)) return undefined
  const lines: string[] = []
  for (const item of items) {
    const line = lines.at(-1)
    if (line !== undefined && indent + 2 + line.length + item.length + 3 <= width)
      lines[lines.length - 1] = `${line} ${item},`
    else lines.push(`${item},`)
  }
  const pad = ' '.repeat(indent + 2)
  return `${group.open}\n${lines.map(line => pad + line).join('\n')}\n${' '.repeat(indent)}${group.close}`
}

/** Long lists of short things, and the names of an import. */
function packs({ open }: Group, items: readonly string[]): boolean {
  if (open === '[' && items.length > 2 && items.every(text => /^'[^']{1,40}'$/.test(text))) return true
  if (items.length < 8) return false
  return open === '['
    ? items.every(text => text.length <= 12)
    : items.every(text => /^(type )?\w+$/.test(text))
}

function opened({ open, close, call, separator, items }: Group, { indent, width }: Place): string {
  const inner = indent + 2
  const pad = ' '.repeat(inner)
  const end = separator === ';' || (open === '(' && !call) ? '' : separator
  const lines = items.map(
    item => `${pad}${foldItem(item, { indent: inner, column: inner, width, tail: 1 })}${end}`,
  )
  return `${open}\n${lines.join('\n')}\n${' '.repeat(indent)}${close}`
}

/** A choice breaks before `?` and `:`, which keeps the condition on its own line. */
function foldOperators(text: string, { indent, width, tail }: Place): string | undefined {
  const parts = splitChoice(text)
  if (parts === undefined) return undefined
  const inner = indent + 2
  const [condition, ...branches] = parts
  const [then, otherwise] = branches.map((part, i) =>
    foldItem(parse(part), { indent: inner, column: inner + 2, width, tail: i === 0 ? 0 : tail }),
  )
  const pad = ' '.repeat(inner)
  return `${condition}\n${pad}? ${then}\n${pad}: ${otherwise}`
}

/** Condition and branches of the first choice outside brackets and strings. */
function splitChoice(text: string): readonly [string, string, string] | undefined {
  const marks = topLevelMarks(text)
  const question = marks.find(mark => mark.text === ' ? ')
  if (question === undefined) return undefined
  let depth = 0
  for (const mark of marks) {
    if (mark.at <= question.at) continue
    if (mark.text === ' ? ') depth += 1
    else if (depth > 0) depth -= 1
    else return [text.slice(0, question.at), text.slice(question.at + 3, mark.at), text.slice(mark.at + 3)]
  }
  return undefined
}

function topLevelMarks(text: string): readonly { readonly at: number; readonly text: string }[] {
  const marks: { at: number; text: string }[] = []
  const reader: Reader = { text, at: 0 }
  while (reader.at < text.length) {
    const next = text.slice(reader.at, reader.at + 3)
    if (next === ' ? ' || next === ' : ') marks.push({ at: reader.at, text: next })
    const char = text[reader.at]!
    if (opensGroup(reader, char)) readGroup(reader, char)
    else readPlain(reader, char)
  }
  return marks
}
