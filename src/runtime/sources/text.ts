import { isUtf8 } from 'node:buffer'
import type { SourceTable } from './column.ts'
import { counted, type DataFile, damaged } from './problem.ts'

export type Tokens = 'bytes' | 'characters' | 'words'

export interface Windows {
  readonly tokens: Tokens
  /** Tokens in a window. */
  readonly window: number
  /** How far one window begins after the one before. */
  readonly stride: number
  /** The most different tokens that the program has room for, where that has a bound. */
  readonly size?: number
}

/**
 * Windows over a text: `tokens`, and `next`, the tokens that follow each of them. Bytes are their own numbers; characters
 * and words are numbered by how often they occur, most often first (then in the order of their code units). Words that
 * find no room share the last number.
 */
export function readText(bytes: Uint8Array, how: Windows, file: DataFile): SourceTable {
  const { ids, count } = how.tokens === 'bytes' ? { ids: bytes, count: 256 } : numbered(bytes, how, file)
  const { window, stride } = how
  if (ids.length <= window)
    throw damaged(
      file,
      `has ${counted(ids.length, how.tokens.slice(0, -1))}, too few for a window of ${window} and the one that follows`,
      'ask for a smaller `window`',
    )
  const rows = Math.floor((ids.length - 1 - window) / stride) + 1
  const cut = (shift: number): Uint8Array | Uint16Array | Int32Array => {
    const values = new (count <= 256 ? Uint8Array : count <= 65536 ? Uint16Array : Int32Array)(rows * window)
    for (let row = 0; row < rows; row++) {
      const start = row * stride + shift
      values.set(ids.subarray(start, start + window), row * window)
    }
    return values
  }
  return {
    rows,
    columns: [
      { kind: 'numbers', name: 'tokens', shape: [window], values: cut(0), count },
      { kind: 'numbers', name: 'next', shape: [window], values: cut(1), count },
    ],
    place: row => `${file.name}, ${how.tokens.slice(0, -1)} ${row * stride}`,
  }
}

/** Every token's number, and how many different ones there are. */
interface Numbered {
  readonly ids: Int32Array
  readonly count: number
}

function numbered(bytes: Uint8Array, { tokens, size }: Windows, file: DataFile): Numbered {
  if (!isUtf8(bytes))
    throw damaged(file, 'is not UTF-8 text', 'save it as UTF-8, or read it by `tokens: "bytes"`')
  const text = new TextDecoder().decode(bytes)
  const parts = tokens === 'characters' ? Array.from(text) : (text.match(word) ?? [])
  const counts = new Map<string, number>()
  for (const part of parts) counts.set(part, (counts.get(part) ?? 0) + 1)
  const count = Math.min(counts.size, size ?? counts.size)
  if (tokens === 'characters' && counts.size > count)
    throw damaged(
      file,
      `has ${counts.size} different characters, and the program has room for ${size}`,
      `write \`size: ${counts.size}\` or more`,
    )
  const ordered = [...counts].sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1))
  const ids = new Map(ordered.map(([part], id) => [part, Math.min(id, count - 1)]))
  return { ids: Int32Array.from(parts, part => ids.get(part) ?? count - 1), count }
}

/** A word is a run of letters, marks, digits and apostrophes; any other sign that is no space stands for itself. */
const word = /[\p{L}\p{M}\p{N}'’]+|[^\s\p{L}\p{M}\p{N}'’]/gu
