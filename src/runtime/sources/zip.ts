import { inflateRawSync } from 'node:zlib'
import { type DataFile, damaged } from './problem.ts'

/** A file inside a zip archive. */
export interface ZipEntry {
  readonly name: string
  /** Its bytes, unpacked. */
  read(): Uint8Array
}

const endMark = 0x06054b50
const end64Mark = 0x06064b50
const entryMark = 0x02014b50
const localMark = 0x04034b50

/**
 * The entries of a zip archive, as its directory at the end lists them (PKWARE APPNOTE 6.3). What `numpy.savez` writes is
 * stored or deflated, possibly with sizes of 64 bits.
 */
export function readZip(bytes: Uint8Array, file: DataFile): readonly ZipEntry[] {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const { count, offset } = directoryOf(buffer, file)
  const entries: ZipEntry[] = []
  let at = offset
  for (let index = 0; index < count; index++) {
    if (at + 46 > buffer.length || buffer.readUInt32LE(at) !== entryMark) throw brokenDirectory(file)
    const nameLength = buffer.readUInt16LE(at + 28)
    const extraLength = buffer.readUInt16LE(at + 30)
    const next = at + 46 + nameLength + extraLength + buffer.readUInt16LE(at + 32)
    if (next > buffer.length) throw brokenDirectory(file)
    const name = buffer.toString('utf8', at + 46, at + 46 + nameLength)
    const extra = buffer.subarray(at + 46 + nameLength, at + 46 + nameLength + extraLength)
    const place = placeOf(buffer.subarray(at, at + 46), extra)
    const method = buffer.readUInt16LE(at + 10)
    entries.push({ name, read: () => unpack(buffer, { name, method, ...place }, file) })
    at = next
  }
  return entries
}

interface Place {
  readonly packed: number
  readonly size: number
  readonly offset: number
  readonly checksum: number
}

/** Sizes that 32 bits can't hold are given, in this order, in an extra field. */
function placeOf(entry: Buffer, extra: Buffer): Place {
  let [packed, size, offset] = [entry.readUInt32LE(20), entry.readUInt32LE(24), entry.readUInt32LE(42)]
  for (let at = 0; at + 4 <= extra.length; at += 4 + extra.readUInt16LE(at + 2)) {
    if (extra.readUInt16LE(at) !== 1) continue
    let from = at + 4
    const next = (known: number): number => {
      if (known !== 0xffffffff || from + 8 > extra.length) return known
      from += 8
      return Number(extra.readBigUInt64LE(from - 8))
    }
    size = next(size)
    packed = next(packed)
    offset = next(offset)
    break
  }
  return { packed, size, offset, checksum: entry.readUInt32LE(16) }
}

function directoryOf(buffer: Buffer, file: DataFile): { readonly count: number; readonly offset: number } {
  const end = endOf(buffer)
  if (end < 0)
    throw damaged(
      file,
      buffer.length >= 4 && buffer.readUInt32LE(0) === localMark
        ? 'is cut off: the directory at its end is missing'
        : 'is not a zip archive, as `.npz` files are',
      'fetch the file anew, or write it with `numpy.savez`',
    )
  const count = buffer.readUInt16LE(end + 10)
  const offset = buffer.readUInt32LE(end + 16)
  if (count !== 0xffff && offset !== 0xffffffff) return { count, offset }
  const locator = end - 20
  const end64 = locator >= 0 ? Number(buffer.readBigUInt64LE(locator + 8)) : buffer.length
  if (end64 + 56 > buffer.length || buffer.readUInt32LE(end64) !== end64Mark) throw brokenDirectory(file)
  return {
    count: Number(buffer.readBigUInt64LE(end64 + 32)),
    offset: Number(buffer.readBigUInt64LE(end64 + 48)),
  }
}

/** A comment of up to 64 KiB may follow the mark. */
function endOf(buffer: Buffer): number {
  const first = Math.max(0, buffer.length - 22 - 0xffff)
  for (let at = buffer.length - 22; at >= first; at--) if (buffer.readUInt32LE(at) === endMark) return at
  return -1
}

function unpack(
  buffer: Buffer,
  entry: Place & { readonly name: string; readonly method: number },
  file: DataFile,
): Uint8Array {
  const { name, method, packed, size, offset } = entry
  const cut = () => damaged(file, `is cut off or damaged: \`${name}\` is not where its directory says`, again)
  if (offset + 30 > buffer.length || buffer.readUInt32LE(offset) !== localMark) throw cut()
  const start = offset + 30 + buffer.readUInt16LE(offset + 26) + buffer.readUInt16LE(offset + 28)
  if (start + packed > buffer.length) throw cut()
  const data = buffer.subarray(start, start + packed)
  if (method !== 0 && method !== 8)
    throw damaged(file, `packs \`${name}\` by method ${method}; ltm reads stored and deflated entries`)
  const bytes = method === 0 ? data : inflated(data, name, size, file)
  if (bytes.length !== size) throw cut()
  if (checksum(bytes) !== entry.checksum)
    throw damaged(file, `is damaged: the checksum of \`${name}\` is wrong`, again)
  return bytes
}

const again = 'fetch the file anew, or write it again'

/** A claimed size bounds what is unpacked, so that no small file fills the memory. */
function inflated(data: Buffer, name: string, size: number, file: DataFile): Uint8Array {
  try {
    return inflateRawSync(data, { maxOutputLength: Math.max(1, size) })
  } catch {
    throw damaged(file, `is damaged: \`${name}\` can't be unpacked`, again)
  }
}

function brokenDirectory(file: DataFile) {
  return damaged(file, 'has a damaged zip directory', again)
}

const crcTable = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1
  return value
})

/** CRC-32, which Node's zlib has only in newer versions. */
export function checksum(bytes: Uint8Array): number {
  let sum = 0xffffffff
  for (const byte of bytes) sum = (crcTable[(sum ^ byte) & 0xff] ?? 0) ^ (sum >>> 8)
  return ~sum >>> 0
}
