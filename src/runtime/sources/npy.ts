import { type NumberColumn, sizeOf } from './column.ts'
import { decodeElements, type ElementType, elementBytes, rowMajor } from './elements.ts'
import { type DataFile, damaged, sizeProblem } from './problem.ts'

/**
 * NumPy's format: `\x93NUMPY`, a version, the length of a header (16 bits in version 1, 32 in 2 and 3), the header, which
 * is the text of a Python dict, then the numbers. (NumPy Enhancement Proposal 1, A simple file format for NumPy arrays.)
 */
export function readNpy(bytes: Uint8Array, name: string, file: DataFile): NumberColumn {
  const { header, start } = headerOf(bytes, file)
  const { type, littleEndian } = typeOf(header, file)
  const shape = shapeOf(header, file)
  const needed = start + sizeOf(shape) * elementBytes[type]
  if (!Number.isSafeInteger(needed) || needed !== bytes.length)
    throw sizeProblem(file, `${type}[${shape.join(', ')}]`, needed, bytes.length)
  const stored = decodeElements(bytes.subarray(start), type, littleEndian)
  const values = /'fortran_order'\s*:\s*True/.test(header) ? rowMajor(stored, shape) : stored
  return { kind: 'numbers', name, shape: shape.slice(1), values }
}

function headerOf(bytes: Uint8Array, file: DataFile): { readonly header: string; readonly start: number } {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (buffer.toString('latin1', 0, 6) !== '\x93NUMPY')
    throw damaged(
      file,
      'is not a NumPy array: it does not begin with `\\x93NUMPY`',
      'write it with `numpy.save`',
    )
  const wide = (buffer[6] ?? 0) > 1
  const from = wide ? 12 : 10
  if (buffer.length < from) throw sizeProblem(file, 'the header', from, buffer.length)
  const length = wide ? buffer.readUInt32LE(8) : buffer.readUInt16LE(8)
  if (buffer.length < from + length) throw sizeProblem(file, 'the header', from + length, buffer.length)
  return { header: buffer.toString('latin1', from, from + length), start: from + length }
}

function typeOf(
  header: string,
  file: DataFile,
): { readonly type: ElementType; readonly littleEndian: boolean } {
  const descr = /'descr'\s*:\s*'([^']*)'/.exec(header)?.[1]
  if (descr === undefined)
    throw damaged(
      file,
      /'descr'/.test(header)
        ? 'holds records of several fields'
        : 'has a header that does not name a number type',
      'save each field as an array of its own',
    )
  const [, order = '', kind = '', size = ''] = /^([<>|=]?)([a-zA-Z])(\d*)$/.exec(descr) ?? []
  const type = typesByCode.get(`${kind}${size}`)
  if (type !== undefined) return { type, littleEndian: order !== '>' }
  const what =
    kind === 'O'
      ? 'holds Python objects, which only Python can read'
      : kind === 'U' || kind === 'S'
        ? 'holds strings'
        : `holds numbers of the type \`${descr}\`, which ltm does not know`
  throw damaged(file, what, 'save an array of numbers: `numpy.save(path, x.astype("float32"))`')
}

const typesByCode: ReadonlyMap<string, ElementType> = new Map([
  ['b1', 'bool'],
  ['u1', 'u8'],
  ['i1', 'i8'],
  ['u2', 'u16'],
  ['i2', 'i16'],
  ['u4', 'u32'],
  ['i4', 'i32'],
  ['u8', 'u64'],
  ['i8', 'i64'],
  ['f2', 'f16'],
  ['f4', 'f32'],
  ['f8', 'f64'],
])

function shapeOf(header: string, file: DataFile): readonly number[] {
  const inside = /'shape'\s*:\s*\(([\d\s,L]*)\)/.exec(header)?.[1]
  const shape = inside
    ?.split(',')
    .map(item => item.trim().replace(/L$/, ''))
    .filter(item => item !== '')
    .map(Number)
  if (shape === undefined) throw damaged(file, 'has a header that does not say its shape')
  if (shape.length === 0) throw damaged(file, 'holds a single number, not a list of examples')
  return shape
}
