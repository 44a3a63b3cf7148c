/** A program with one mistake, and what that is. */
export interface Mistaken {
  readonly what: string
  readonly text: string
}

interface Token {
  readonly text: string
  readonly at: number
}

const token =
  /\/\/[^\n]*|"[^"\n]*"|[A-Za-z_]\w*|\d[\d_]*(?:\.\d+)?(?:e[+-]?\d+)?|\s+|->|\|>|\.\.\.|\.\.|:>|[=!<>]=|./gs

/** What is neither space nor comment. */
const tokensOf = (text: string): readonly Token[] =>
  [...text.matchAll(token)]
    .map(({ 0: found, index }) => ({ text: found, at: index }))
    .filter(each => !/^(\s|\/\/)/.test(each.text))

const words = new Set(
  `import fn if then else for in let var set return and or not true false div rearrange reduce einsum like const constraint module
  loss metric optimizer schedule dataset train param buffer layer forward require raw inverse log_det log_forward check state slot
  update compute field fit augment filter split hyper data model average freeze step on trainer minimize log skip stop print
  checkpoint unfreeze call yield break while from version bijective where pad merge project frozen cycle with over bar every of
  except val test predict`.split(/\s+/),
)

function mistaken(text: string, from: number, to: number, by: string, what: string): Mistaken {
  const line = text.slice(0, from).split('\n').length
  return { what: `line ${line}: ${what}`, text: text.slice(0, from) + by + text.slice(to) }
}

/** Each name misspelt in turn, where it is declared or used, and each whole number one more. */
export function misspelt(text: string): readonly Mistaken[] {
  return tokensOf(text).flatMap(({ text: found, at }) => {
    const isName = /^[A-Za-z_]\w/.test(found) && !words.has(found)
    if (!isName && !/^\d+$/.test(found)) return []
    const wrong = isName ? `${found.slice(0, -1)}q${found.slice(-1)}` : String(Number(found) + 1)
    return [mistaken(text, at, at + found.length, wrong, wrong)]
  })
}

/** Each token left out in turn. */
export function deleted(text: string): readonly Mistaken[] {
  return tokensOf(text).map(({ text: found, at }) =>
    mistaken(text, at, at + found.length, '', `${found} deleted`),
  )
}

/** What stands between commas in parentheses and square brackets, from and to. */
function lists(text: string): readonly (readonly (readonly [number, number])[])[] {
  const found: [number, number][][] = []
  const open: { bracket: string; start: number; items: [number, number][] }[] = []
  for (const { text: sign, at } of tokensOf(text)) {
    const inner = open.at(-1)
    if (/^[([{]$/.test(sign)) open.push({ bracket: sign, start: at + 1, items: [] })
    else if (inner && /^[,)\]}]$/.test(sign)) {
      if (text.slice(inner.start, at).trim() !== '') inner.items.push([inner.start, at])
      inner.start = at + 1
      if (sign === ',') continue
      if (inner.bracket !== '{') found.push(inner.items)
      open.pop()
    }
  }
  return found
}

/** Each argument, formal, size and item of a list left out in turn. */
export function dropped(text: string): readonly Mistaken[] {
  return lists(text).flatMap(items =>
    items.map(([from, to], i) => {
      const what = `${text.slice(from, to).trim()} dropped`
      return i === 0
        ? mistaken(text, from, items.length > 1 ? to + 1 : to, '', what)
        : mistaken(text, from - 1, to, '', what)
    }),
  )
}

/** Each of them changing its place with the next. */
export function swapped(text: string): readonly Mistaken[] {
  return lists(text).flatMap(items =>
    items.slice(1).map((second, i) => {
      const [a, b] = items[i]!
      const [c, d] = second
      return mistaken(text, a, d, `${text.slice(c, d)},${text.slice(a, b)}`, `${text.slice(a, d)} swapped`)
    }),
  )
}
