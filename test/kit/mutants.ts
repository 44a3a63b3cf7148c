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
]

/** A text with one to three changes at random. */
export function mutant(text: string, random: Random): string {
  const list = pieces(text)
  for (let left = 1 + Math.floor(random() * 3); left > 0; left--) {
    // Half of the changes are of names and numbers: those get past the parser.
    const some = random() < 0.5 ? mutations.filter(each => each.name.startsWith('replaceN')) : mutations
    pick(some, random)(list, random)
  }
  return list.join('')
}
