import { createHash } from 'node:crypto'

/**
 * The blocks of an intermediate representation with a digest each, by what their first lines say before the details:
 * `step train`, `func Mlp.forward`. Those that begin with a word of `apart` are left out; comments say nothing.
 */
export function partsOf(ir: string, apart: readonly string[]): Readonly<Record<string, string>> {
  const parts = new Map<string, string>()
  for (const block of blocksOf(ir)) {
    const head = block[0] ?? ''
    if (apart.includes(/^\w+/.exec(head)?.[0] ?? '')) continue
    const name = (/^on\b/.test(head) ? head : head.replace(/[(:=].*$/s, '')).replace(/\{$/, '').trim()
    parts.set(unused(name, parts), digest(block.join('\n')))
  }
  return Object.fromEntries(parts)
}

function blocksOf(ir: string): readonly (readonly string[])[] {
  const blocks: string[][] = []
  for (const line of ir.split('\n')) {
    if (line === '' || line.startsWith('///')) continue
    if (/^\w/.test(line)) blocks.push([line])
    else blocks.at(-1)?.push(line)
  }
  return blocks
}

function unused(name: string, known: ReadonlyMap<string, string>): string {
  if (!known.has(name)) return name
  for (let number = 2; ; number++) if (!known.has(`${name} ${number}`)) return `${name} ${number}`
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 32)
}
