import type { JsonValue, StoredTensor } from './contracts.ts'
import { RunError } from './errors.ts'
import { isJsonObject, isWhole, type JsonObject, parseJsonObject, repeatedMember } from './json.ts'
import { halfPrecision } from './sources/elements.ts'

/**
 * The safetensors format: eight bytes with the length of a JSON header (little-endian), the header padded with spaces
 * so that the data is aligned, then the raw data of all tensors, little-endian and without gaps.
 */
export interface SafetensorsFile {
  readonly tensors: ReadonlyMap<string, StoredTensor>
  readonly metadata: ReadonlyMap<string, string>
}

const lengthBytes = 8
const largestHeader = 100_000_000
const alignment = 8

// ── Writing ─────────────────────────────────────────────────────────────────────────────────────────────────────────

const writtenAs = { float32: 'F32', int32: 'I32', bool: 'BOOL' } as const

/** The file's bytes in pieces, so that the data of large models isn't copied. */
export function encodeSafetensors(
  tensors: ReadonlyMap<string, StoredTensor>,
  metadata: Readonly<Record<string, string>> = {},
): readonly Uint8Array[] {
  const ordered = [...tensors].sort(([, a], [, b]) => b.data.BYTES_PER_ELEMENT - a.data.BYTES_PER_ELEMENT)
  const entries: [string, JsonValue][] = []
  if (Object.keys(metadata).length > 0) entries.push(['__metadata__', metadata])
  let offset = 0
  for (const [name, { dtype, shape, data }] of ordered) {
    const end = offset + data.byteLength
    entries.push([name, { dtype: writtenAs[dtype], shape, data_offsets: [offset, end] }])
    offset = end
  }
  return [...headerBytes(entries), ...ordered.map(([, tensor]) => littleEndian(tensor.data))]
}

/** Written member by member: an object would put names that look like numbers first. */
function headerBytes(entries: readonly (readonly [string, JsonValue])[]): readonly Uint8Array[] {
  const members = entries.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`)
  const header = Buffer.from(`{${members.join(',')}}`)
  const padded = Math.ceil(header.length / alignment) * alignment
  const length = Buffer.alloc(lengthBytes)
  length.writeBigUInt64LE(BigInt(padded))
  return [length, header, Buffer.alloc(padded - header.length, ' ')]
}

const hostIsLittleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1

function littleEndian(data: StoredTensor['data']): Uint8Array {
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength)
  return hostIsLittleEndian || data.BYTES_PER_ELEMENT === 1 ? bytes : Buffer.from(bytes).swap32()
}

// ── Reading ─────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Reads a file that anyone may have written; whatever is wrong with it is said with the file's name. */
export function decodeSafetensors(bytes: Uint8Array, file: string): SafetensorsFile {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const { header, start } = readHeader(buffer, file)
  const data = buffer.subarray(start)
  const entries = Object.entries(header).filter(([name]) => name !== '__metadata__')
  const layouts = entries.map(([name, entry]) => readLayout(name, entry, file))
  checkCoverage(layouts, data.length, file)
  const tensors = new Map(layouts.map(layout => [layout.name, readTensor(layout, data, file)]))
  return { tensors, metadata: readMetadata(header.__metadata__, file) }
}

/** Where a tensor lies in the data part. */
interface Layout {
  readonly name: string
  readonly dtype: StoredDtype
  readonly shape: readonly number[]
  readonly begin: number
  readonly end: number
}

function readHeader(buffer: Buffer, file: string): { readonly header: JsonObject; readonly start: number } {
  if (buffer.length < lengthBytes) {
    throw broken(file, `is cut off: ${lengthBytes - buffer.length} bytes of the header's length are missing`)
  }
  const length = Number(buffer.readBigUInt64LE(0))
  if (length > largestHeader) throw broken(file, 'is not a safetensors file: its header would be over 100 MB')
  const start = lengthBytes + length
  if (start > buffer.length) {
    throw broken(file, `is cut off: ${start - buffer.length} bytes of its header are missing`)
  }
  const text = buffer.subarray(lengthBytes, start)
  const header = parseJsonObject(text)
  if (header === undefined) throw broken(file, 'is not a safetensors file: its header is not a JSON object')
  const repeated = repeatedMember(text.toString())
  if (repeated !== undefined) throw broken(file, `names \`${repeated}\` twice in its header`)
  return { header, start }
}

function readLayout(name: string, entry: JsonValue, file: string): Layout {
  if (!isJsonObject(entry)) throw broken(file, `does not describe \`${name}\` by an object`)
  const dtype = readDtype(name, entry.dtype, file)
  const { shape, data_offsets: offsets } = entry
  if (!isWholeList(shape)) throw broken(file, `gives \`${name}\` a shape that is not a list of sizes`)
  if (!isWholeList(offsets) || offsets.length !== 2) {
    throw broken(file, `gives \`${name}\` no valid pair of data offsets`)
  }
  const [begin, end] = [offsets[0]!, offsets[1]!]
  const size = shape.reduce((product, extent) => product * extent, decoders[dtype].bytes)
  if (!Number.isSafeInteger(size))
    throw broken(file, `gives \`${name}\` an impossible size: [${shape.join(', ')}]`)
  if (end - begin !== size) {
    throw broken(
      file,
      `gives \`${name}\` ${end - begin} bytes, but ${dtype} [${shape.join(', ')}] takes ${size}`,
    )
  }
  return { name, dtype, shape, begin, end }
}

function readDtype(name: string, dtype: JsonValue | undefined, file: string): StoredDtype {
  if (isStoredDtype(dtype)) return dtype
  throw broken(file, `stores \`${name}\` as ${JSON.stringify(dtype)}, a type that ltm does not know`)
}

/** The tensors must cover the data once, without gaps or overlaps. */
function checkCoverage(layouts: readonly Layout[], available: number, file: string): void {
  let covered = 0
  for (const { name, begin, end } of [...layouts].sort((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (begin < covered) throw broken(file, `lets \`${name}\` overlap the tensor before it`)
    if (begin > covered) throw broken(file, `has a gap of ${begin - covered} bytes before \`${name}\``)
    covered = end
  }
  if (covered > available)
    throw broken(file, `is cut off: ${covered - available} bytes of its data are missing`)
  if (covered < available) throw broken(file, `has ${available - covered} bytes after its last tensor`)
}

function readMetadata(value: JsonValue | undefined, file: string): ReadonlyMap<string, string> {
  if (value === undefined) return new Map()
  const entries = isJsonObject(value) ? Object.entries(value) : undefined
  const texts = entries?.flatMap(([name, text]) => (typeof text === 'string' ? [[name, text] as const] : []))
  if (texts === undefined || texts.length !== entries?.length) {
    throw broken(file, 'has metadata that is not a table of strings')
  }
  return new Map(texts)
}

function isWholeList(value: JsonValue | undefined): value is readonly number[] {
  return Array.isArray(value) && value.every(isWhole)
}

function broken(file: string, what: string): RunError {
  return new RunError({ code: 'LTM6503', message: `${file} ${what}` })
}

// ── Data types ──────────────────────────────────────────────────────────────────────────────────────────────────────

interface Decoder {
  readonly bytes: number
  readonly dtype: StoredTensor['dtype']
  /** The element at this byte; NaN where an int32 or a bool can't hold it. */
  readonly read: (data: Buffer, at: number) => number
}

/** What other libraries store is read as the nearest type that ltm has. */
const decoders = {
  F64: { bytes: 8, dtype: 'float32', read: (data, at) => data.readDoubleLE(at) },
  F32: { bytes: 4, dtype: 'float32', read: (data, at) => data.readFloatLE(at) },
  F16: { bytes: 2, dtype: 'float32', read: (data, at) => halfPrecision(data.readUInt16LE(at)) },
  BF16: { bytes: 2, dtype: 'float32', read: (data, at) => brainFloat(data.readUInt16LE(at)) },
  I64: { bytes: 8, dtype: 'int32', read: (data, at) => int32OrNaN(Number(data.readBigInt64LE(at))) },
  I32: { bytes: 4, dtype: 'int32', read: (data, at) => data.readInt32LE(at) },
  U32: { bytes: 4, dtype: 'int32', read: (data, at) => int32OrNaN(data.readUInt32LE(at)) },
  I16: { bytes: 2, dtype: 'int32', read: (data, at) => data.readInt16LE(at) },
  U16: { bytes: 2, dtype: 'int32', read: (data, at) => data.readUInt16LE(at) },
  I8: { bytes: 1, dtype: 'int32', read: (data, at) => data.readInt8(at) },
  U8: { bytes: 1, dtype: 'int32', read: (data, at) => data[at]! },
  BOOL: { bytes: 1, dtype: 'bool', read: (data, at) => (data[at]! <= 1 ? data[at]! : Number.NaN) },
} satisfies Record<string, Decoder>

type StoredDtype = keyof typeof decoders

function isStoredDtype(value: JsonValue | undefined): value is StoredDtype {
  return typeof value === 'string' && Object.hasOwn(decoders, value)
}

function readTensor({ name, dtype, shape, begin, end }: Layout, data: Buffer, file: string): StoredTensor {
  const decoder: Decoder = decoders[dtype]
  const count = (end - begin) / decoder.bytes
  const copy = plainCopy(dtype, data, begin, end)
  if (copy !== undefined) return { dtype: decoder.dtype, shape, data: copy }
  const values = new arrays[decoder.dtype](count)
  for (let index = 0; index < count; index++) {
    const value = decoder.read(data, begin + index * decoder.bytes)
    if (Number.isNaN(value) && decoder.dtype !== 'float32') throw unrepresentable(file, name, dtype, index)
    values[index] = value
  }
  return { dtype: decoder.dtype, shape, data: values }
}

const arrays = { float32: Float32Array, int32: Int32Array, bool: Uint8Array } as const

/** The types that ltm itself writes need no conversion; a copy of the bytes is aligned, which the file need not be. */
function plainCopy(
  dtype: StoredDtype,
  data: Buffer,
  begin: number,
  end: number,
): StoredTensor['data'] | undefined {
  if (!hostIsLittleEndian) return undefined
  if (dtype === 'F32') return new Float32Array(new Uint8Array(data.subarray(begin, end)).buffer)
  if (dtype === 'I32') return new Int32Array(new Uint8Array(data.subarray(begin, end)).buffer)
  return undefined
}

function unrepresentable(file: string, name: string, dtype: StoredDtype, index: number): RunError {
  const type = dtype === 'BOOL' ? 'neither 0 nor 1' : 'too large for an i32'
  return broken(file, `holds a value in \`${name}\` that is ${type} (element ${index})`)
}

function int32OrNaN(value: number): number {
  return value === (value | 0) ? value : Number.NaN
}

const word = new DataView(new ArrayBuffer(4))

/** The upper half of a float32. */
function brainFloat(bits: number): number {
  word.setUint32(0, bits << 16)
  return word.getFloat32(0)
}
