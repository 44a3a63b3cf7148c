/** Numbers in [0, 1) from a seed: Mulberry32, whose state is 32 bits. */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}

type Random = () => number

const pick = <T>(items: readonly T[], random: Random): T => items[Math.floor(random() * items.length)]!

/** Words, numbers, strings, comments, white space and single signs: joined they are the text again. */
function pieces(text: string): string[] {
  return (
    text.match(/\/\/.*|"[^"\n]*"|[A-Za-z_]\w*|\d[\d_.eE]*|\s+|->|\|>|\.\.\.|\.\.|:>|==|!=|<=|>=|./gs) ?? []
  )
}

const numbers = ['0', '1', '-1', '2.5', '1e400', '1e-9', '1000000000', '3', '64', '0.5', '7 epochs', '"x"']
/** Words of the grammar: in another's place they are mistakes of syntax, which are tested elsewhere. */
const words = new Set(
  `import fn if then else for in let var set return and or not true false div rearrange reduce einsum like const constraint
  module loss metric optimizer schedule dataset train param buffer layer forward require raw state update compute field fit
  split hyper data model step on trainer minimize log skip stop print checkpoint from where with over bar except frozen`.split(
    /\s+/,
  ),
)
/** Words that stand in one another's place: types, phases, events, options and kinds of members. */
const kinds: readonly (readonly string[])[] = [
  ['f32', 'i32', 'bool', 'int', 'float', 'string', 'fn', 'like'],
  ['train', 'val', 'test', 'predict'],
  ['let', 'var', 'set'],
  ['param', 'buffer', 'layer', 'let', 'field', 'fit', 'augment'],
  ['if', 'for', 'while'],
  [
    'skip',
    'break',
    'stop',
    'return',
    'yield',
    'print',
    'debug',
    'log',
    'minimize',
    'freeze',
    'unfreeze',
    'checkpoint',
  ],
  [
    'train_batch_end',
    'train_epoch_end',
    'validation_end',
    'fit_start',
    'exception',
    'nonfinite',
    'epoch_end',
  ],
  ['outputs', 'batch', 'error'],
  ['batches', 'updates', 'epochs', 'examples', 'seconds'],
  ['in', 'project', 'over', 'with', 'from', 'on', 'of', 'where'],
  ['epoch', 'batch_index', 'update', 'total_updates', 'training', 'phase', 'seconds'],
  ['along', 'zip', 'gradient', 'stop_gradient', 'log_det_jacobian', 'stalled', 'normal', 'len', 'fill'],
]
const kindOf = (piece: string): readonly string[] | undefined => kinds.find(each => each.includes(piece))
const isName = (piece: string): boolean => isWord(piece) && !words.has(piece)
const isNumber = (piece: string): boolean => /^\d/.test(piece)
const isWord = (piece: string): boolean => /^[A-Za-z_]/.test(piece)
const isSpace = (piece: string): boolean => /^\s/.test(piece)

/** One change of the pieces of a text. */
type Mutation = (list: string[], random: Random) => void

const at = (list: readonly string[], random: Random, test: (piece: string) => boolean): number => {
  const places = list.flatMap((piece, i) => (test(piece) ? [i] : []))
  return places.length === 0 ? -1 : pick(places, random)
}

const solid = (piece: string): boolean => !isSpace(piece)

const mutations: readonly Mutation[] = [
  function remove(list, random) {
    const i = at(list, random, solid)
    if (i >= 0) list.splice(i, 1)
  },
  function duplicate(list, random) {
    const i = at(list, random, solid)
    if (i >= 0) list.splice(i, 0, list[i]!, ' ')
  },
  function swap(list, random) {
    const [i, j] = [at(list, random, solid), at(list, random, solid)]
    if (i >= 0 && j >= 0) [list[i], list[j]] = [list[j]!, list[i]!]
  },
  function replaceName(list, random) {
    const i = at(list, random, isName)
    if (i >= 0) list[i] = pick(list.filter(isName), random)
  },
  function replaceNumber(list, random) {
    const i = at(list, random, isNumber)
    if (i >= 0) list[i] = pick(numbers, random)
  },
  function replaceAny(list, random) {
    const i = at(list, random, solid)
    if (i >= 0) list[i] = pick(list.filter(solid), random)
  },
  function removeLine(list, random) {
    const i = at(list, random, piece => piece.includes('\n'))
    const next = list.findIndex((piece, j) => j > i && piece.includes('\n'))
    if (i >= 0 && next > i) list.splice(i, next - i)
  },
  function moveLine(list, random) {
    const lines = list.join('').split('\n')
    const [line = ''] = lines.splice(Math.floor(random() * lines.length), 1)
    lines.splice(Math.floor(random() * (lines.length + 1)), 0, line)
    list.splice(0, list.length, ...pieces(lines.join('\n')))
  },
  function doubleLine(list, random) {
    const lines = list.join('').split('\n')
    lines.splice(Math.floor(random() * lines.length), 0, pick(lines, random))
    list.splice(0, list.length, ...pieces(lines.join('\n')))
  },
  function replaceKind(list, random) {
    const i = at(list, random, piece => kindOf(piece) !== undefined)
    const kind = kindOf(list[i] ?? '')
    if (kind) list[i] = pick(kind, random)
  },
]

/** A text that has a declaration, or another line with its block, of another program in place of one of its own. */
export function graft(text: string, other: string, random: Random): string {
  const [own, foreign] = [parts(text), parts(other)]
  const nested = random() < 0.7
  const choose = (all: readonly string[]): string | undefined => {
    const some = all.filter(each => each.startsWith(' ') === nested)
    return some.length === 0 ? undefined : pick(some, random)
  }
  const [place, part] = [choose(own), choose(foreign)]
  if (place === undefined || part === undefined) return text
  return text.replace(place, () => (random() < 0.5 ? part : `${place}\n${part}`))
}

/** The lines of a text, those that open a block with all of it. */
function parts(text: string): string[] {
  const lines = text.split('\n')
  return lines.flatMap((line, i) => {
    const indent = /^ */.exec(line)?.[0].length ?? 0
    if (line.trim() === '' || /^ *[}\])]/.test(line)) return []
    const end = lines.findIndex((each, j) => j > i && each.startsWith(`${' '.repeat(indent)}}`))
    return [line.endsWith('{') && end > i ? lines.slice(i, end + 1).join('\n') : line]
  })
}

/** A text with one to three changes at random. */
export function mutant(text: string, random: Random): string {
  const list = pieces(text)
  for (let left = 1 + Math.floor(random() * 3); left > 0; left--) {
    // Half of the changes are of names, numbers and words of a kind: those get past the parser.
    const some = random() < 0.5 ? mutations.filter(each => /^replace[NK]/.test(each.name)) : mutations
    pick(some, random)(list, random)
  }
  return list.join('')
}
