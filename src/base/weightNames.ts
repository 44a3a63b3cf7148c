/**
 * Names in files of weights. Libraries write `hidden.0.weight` where a path is `hidden[0].weight`; names are compared in the
 * first form, from behind the name of the model.
 */
export function plainName(path: string): string {
  return path
    .replace(/\[(\w+|\*+)\]/g, '.$1')
    .replace(/^\./, '')
    .replace(/\.$/, '')
}

/** The name of `net.hidden[0].weight` in a file of the weights of `net`. */
export function nameInFile(path: string, model: string): string {
  return plainName(path.slice(model.length))
}

/** Whether a name is `beginning`, or goes on behind it with a dot; `*` stands for one part of a name, `**` for several. */
export function beginsWith(name: string, beginning: string): boolean {
  return patternOf(beginning).test(name)
}

/** A beginning of names in the file, and what stands in its place in the program: `*` and `**` take what they stood for along. */
export interface Renaming {
  readonly from: string
  readonly to: string
}

/** The name by the first of the renamings that fits it; undefined where none does. */
export function renamedBy({ from, to }: Renaming, name: string): string | undefined {
  const found = patternOf(from).exec(name)
  if (found === null) return undefined
  const [whole, ...stars] = found
  let next = 0
  const start = plainName(to).replace(/\*+/g, star => stars[next++] ?? star)
  return [start, name.slice(whole.length).replace(/^\./, '')].filter(part => part !== '').join('.')
}

function patternOf(beginning: string): RegExp {
  const parts = plainName(beginning).split('.').map(partPattern)
  return new RegExp(`^${parts.join('\\.')}(?=\\.|$)`)
}

function partPattern(part: string): string {
  if (part === '**') return '(.+?)'
  return part
    .split('*')
    .map(text => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'))
    .join('([^.]*)')
}
