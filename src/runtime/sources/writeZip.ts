import { checksum } from './zip.ts'

/** A zip archive of files that are stored as they are (PKWARE APPNOTE 6.3), as `numpy.savez` writes one. */
export function writeZip(files: ReadonlyMap<string, Buffer>): Buffer {
  const parts: Buffer[] = []
  const directory: Buffer[] = []
  let offset = 0
  for (const [name, data] of files) {
    const path = Buffer.from(name)
    const common = commonOf(path, data)
    const local = Buffer.concat([int32(0x04034b50), common, path, data])
    parts.push(local)
    // Behind the common part: no comment, the first disk, no attributes.
    directory.push(int32(0x02014b50), int16(version), common, Buffer.alloc(10), int32(offset), path)
    offset += local.length
  }
  const entries = Buffer.concat(directory)
  const counts = Buffer.concat([int16(files.size), int16(files.size), int32(entries.length), int32(offset)])
  return Buffer.concat([...parts, entries, int32(0x06054b50), Buffer.alloc(4), counts, int16(0)])
}

/** What a file's own header and its entry in the directory share: from the version wanted to the length of extras. */
function commonOf(path: Buffer, data: Buffer): Buffer {
  const stored = 0
  const sizes = [int32(checksum(data)), int32(data.length), int32(data.length)]
  const head = [int16(version), int16(utf8Names), int16(stored), int16(0), int16(firstDay)]
  return Buffer.concat([...head, ...sizes, int16(path.length), int16(0)])
}

const version = 20
const utf8Names = 0x0800
/** 1 January 1980: the same predictions make the same file. */
const firstDay = 0x0021

function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2)
  bytes.writeUInt16LE(value)
  return bytes
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  return bytes
}
