import { deflateRawSync, gzipSync } from 'node:zlib'

/** An array in the format of MNIST's files; `code` says of which numbers. */
export function idx(code: number, shape: readonly number[], data: Uint8Array): Buffer {
  const head = Buffer.alloc(4 + 4 * shape.length)
  head.set([0, 0, code, shape.length])
  for (const [axis, extent] of shape.entries()) head.writeUInt32BE(extent, 4 + 4 * axis)
  return Buffer.concat([head, data])
}

/** A NumPy array of version 1.0. */
export function npy(descr: string, shape: string, data: Uint8Array, fortran = 'False'): Buffer {
  const dict = `{'descr': '${descr}', 'fortran_order': ${fortran}, 'shape': (${shape}), }`
  const header = `${dict.padEnd(117)}\n`
  const head = Buffer.alloc(10, '\x93NUMPY\x01\x00', 'latin1')
  head.writeUInt16LE(header.length, 8)
  return Buffer.concat([head, Buffer.from(header, 'latin1'), data])
}

/** The bytes of numbers, in this machine's order. */
export const bytesOf = (
  array: Float32Array | Float64Array | Int32Array | BigInt64Array | Uint16Array,
): Uint8Array => new Uint8Array(array.buffer)

/** A zip archive as `numpy.savez` (stored) and `numpy.savez_compressed` (deflated) write it. */
export function zip(entries: Readonly<Record<string, Buffer>>, deflate: boolean): Buffer {
  const locals: Buffer[] = []
  const directory: Buffer[] = []
  let offset = 0
  for (const [name, data] of Object.entries(entries)) {
    const packed = deflate ? deflateRawSync(data) : data
    const head = Buffer.alloc(30)
    head.writeUInt32LE(0x04034b50, 0)
    head.writeUInt16LE(name.length, 26)
    const entry = Buffer.alloc(46)
    entry.writeUInt32LE(0x02014b50, 0)
    entry.writeUInt16LE(deflate ? 8 : 0, 10)
    entry.writeUInt32LE(crc(data), 16)
    entry.writeUInt32LE(packed.length, 20)
    entry.writeUInt32LE(data.length, 24)
    entry.writeUInt16LE(name.length, 28)
    entry.writeUInt32LE(offset, 42)
    locals.push(head, Buffer.from(name), packed)
    directory.push(entry, Buffer.from(name))
    offset += 30 + name.length + packed.length
  }
  const end = Buffer.alloc(22)
  end.writeUInt32LE(0x06054b50, 0)
  end.writeUInt16LE(Object.keys(entries).length, 10)
  end.writeUInt32LE(Buffer.concat(directory).length, 12)
  end.writeUInt32LE(offset, 16)
  return Buffer.concat([...locals, ...directory, end])
}

/** The trailer of gzip data holds the checksum that zip wants. */
function crc(data: Uint8Array): number {
  const packed = gzipSync(data)
  return packed.readUInt32LE(packed.length - 8)
}
