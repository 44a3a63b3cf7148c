import { createHash } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import type {
  Draw,
  GradientSum,
  GraphInput,
  GraphPlace,
  GraphTensor,
  LoweredGraph,
} from '../../base/graphs.ts'
import type { JsonValue } from '../contracts.ts'
import { isJsonObject, isWhole, type JsonObject, parseJsonObject } from '../json.ts'

/**
 * A graph as a file: the SHA-256 of what follows, the length of a head, the head as JSON, the bytes of the model. A file that was torn
 * or changed, or is of another key, holds no graph.
 */

const digestBytes = 32
const lengthBytes = 4

/** The pieces of the file; undefined where JSON would not say all of the head. */
export function encodeGraph(key: string, graph: LoweredGraph): readonly Uint8Array[] | undefined {
  const { bytes, ...described } = graph
  const text = JSON.stringify({ key, ...described })
  if (!isDeepStrictEqual(JSON.parse(text), { key, ...described })) return undefined
  const head = Buffer.from(text)
  const length = Buffer.alloc(lengthBytes)
  length.writeUInt32LE(head.length)
  return [digestOf([length, head, bytes]), length, head, bytes]
}

/** The graph of this key that a file holds; undefined where it holds anything else. */
export function decodeGraph(key: string, file: Uint8Array): LoweredGraph | undefined {
  const rest = file.subarray(digestBytes)
  if (rest.length < lengthBytes || !digestOf([rest]).equals(file.subarray(0, digestBytes))) return undefined
  const end = lengthBytes + Buffer.from(rest.buffer, rest.byteOffset).readUInt32LE()
  const head = parseJsonObject(rest.subarray(lengthBytes, end))
  return head?.key === key ? graphIn(head, rest.subarray(end)) : undefined
}

function digestOf(pieces: readonly Uint8Array[]): Buffer {
  const hash = createHash('sha256')
  for (const piece of pieces) hash.update(piece)
  return hash.digest()
}

// ── What a head may say ─────────────────────────────────────────────────────────────────────────────────────────────

type Read<T> = (value: JsonObject) => T | undefined

function graphIn(head: JsonObject, bytes: Uint8Array): LoweredGraph | undefined {
  const inputs = listOf(head.inputs, inputIn)
  const outputs = listOf(head.outputs, tensorIn)
  const sums = head.sums === undefined ? [] : listOf(head.sums, sumIn)
  const { multiplyAdds } = head
  if (inputs === undefined || outputs === undefined || sums === undefined) return undefined
  if (typeof multiplyAdds !== 'number' || !sums.every(sum => standsIn(sum, outputs.length))) return undefined
  return { bytes, inputs, outputs, multiplyAdds, ...(head.sums === undefined ? {} : { sums }) }
}

function standsIn({ gradients, squares }: GradientSum, outputs: number): boolean {
  return [...gradients, squares].every(place => place < outputs)
}

/** A list all of whose members are what they should be. */
function listOf<T>(value: JsonValue | undefined, read: Read<T>): readonly T[] | undefined {
  if (!Array.isArray(value)) return undefined
  const members = value.flatMap(each => (isJsonObject(each) ? (read(each) ?? []) : []))
  return members.length === value.length ? members : undefined
}

function wholes(value: JsonValue | undefined): readonly number[] | undefined {
  return Array.isArray(value) && value.every(isWhole) ? value : undefined
}

function tensorIn({ name, dtype, shape }: JsonObject): GraphTensor | undefined {
  const sizes = wholes(shape)
  if (typeof name !== 'string' || sizes === undefined) return undefined
  return dtype === 'f32' || dtype === 'i32' || dtype === 'bool' ? { name, dtype, shape: sizes } : undefined
}

function inputIn(value: JsonObject): LoweredGraph['inputs'][number] | undefined {
  const tensor = tensorIn(value)
  const source = isJsonObject(value.source) ? sourceIn(value.source) : undefined
  return tensor && source && { ...tensor, source }
}

function sourceIn(value: JsonObject): GraphInput | undefined {
  const { kind, index, key } = value
  if (kind !== 'draw')
    return (kind === 'tensor' || kind === 'number') && isWhole(index) ? { kind, index } : undefined
  const places = placesIn(value.places)
  const draw = isJsonObject(value.draw) ? drawIn(value.draw) : undefined
  return isWhole(key) && places && draw ? { kind, key, places, draw } : undefined
}

function placesIn(value: JsonValue | undefined): readonly GraphPlace[] | undefined {
  if (!Array.isArray(value)) return undefined
  const places = value.flatMap((each: JsonValue): readonly GraphPlace[] => {
    if (typeof each === 'string' || typeof each === 'number') return [each]
    return isJsonObject(each) && isWhole(each.number) ? [{ number: each.number }] : []
  })
  return places.length === value.length ? places : undefined
}

function drawIn({ kind, mean, std, low, high, p }: JsonObject): Draw | undefined {
  switch (kind) {
    case 'normal':
      return typeof mean === 'number' && typeof std === 'number' ? { kind, mean, std } : undefined
    case 'uniform':
      return typeof low === 'number' && typeof high === 'number' ? { kind, low, high } : undefined
    case 'bernoulli':
      return typeof p === 'number' ? { kind, p } : undefined
    case 'permutation':
      return { kind }
    default:
      return undefined
  }
}

function sumIn({ gradients, squares }: JsonObject): GradientSum | undefined {
  const places = wholes(gradients)
  return places && isWhole(squares) ? { gradients: places, squares } : undefined
}
