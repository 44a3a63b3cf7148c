import { type NumberColumn, sizeOf } from './column.ts'
import { decodeElements, type ElementType, elementBytes } from './elements.ts'
import { type DataFile, damaged, sizeProblem } from './problem.ts'

/**
 * The IDX format, in which MNIST comes: two zero bytes, a code for the type of the numbers, the count of axes, each
 * axis' size (32 bits, big-endian), then the numbers, big-endian, row-major. The first axis counts the examples.
 * (LeCun, Cortes, Burges, The MNIST database.)
 */
const types: ReadonlyMap<number, ElementType> = new Map([
  [0x08, 'u8'],
  [0x09, 'i8'],
  [0x0b, 'i16'],
  [0x0c, 'i32'],
  [0x0d, 'f32'],
  [0x0e, 'f64'],
])

export function readIdx(bytes: Uint8Array, name: string, file: DataFile): NumberColumn {
  const { type, shape, start } = headerOf(bytes, file)
  const needed = start + sizeOf(shape) * elementBytes[type]
  const claimed = `${type}[${shape.join(', ')}]`
  if (!Number.isSafeInteger(needed) || needed !== bytes.length)
    throw sizeProblem(file, claimed, needed, bytes.length)
  const values = decodeElements(bytes.subarray(start), type, false)
  return { kind: 'numbers', name, shape: shape.slice(1), values }
}

function headerOf(
  bytes: Uint8Array,
  file: DataFile,
): { readonly type: ElementType; readonly shape: readonly number[]; readonly start: number } {
  const [zero, alsoZero, code = 0, rank = 0] = bytes
  const type = types.get(code)
  if (bytes.length < 4 || zero !== 0 || alsoZero !== 0 || type === undefined)
    throw damaged(
      file,
      'is not an IDX file: it does not begin with two zero bytes and the code of a number type',
      'IDX is the format of MNIST (`train-images-idx3-ubyte.gz`); for others there are `npy`, `csv`, `images` and more',
    )
  const start = 4 + 4 * rank
  if (rank === 0) throw damaged(file, 'holds a single number, not a list of examples')
  if (bytes.length < start) throw sizeProblem(file, `the header of ${rank} axes`, start, bytes.length)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return { type, shape: Array.from({ length: rank }, (_, axis) => view.getUint32(4 + 4 * axis)), start }
}
