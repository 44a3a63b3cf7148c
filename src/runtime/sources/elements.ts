import type { NumberArray } from './column.ts'

/** The number types that binary formats store. */
export type ElementType =
  | 'bool'
  | 'u8'
  | 'i8'
  | 'u16'
  | 'i16'
  | 'u32'
  | 'i32'
  | 'u64'
  | 'i64'
  | 'f16'
  | 'f32'
  | 'f64'

export const elementBytes: Readonly<Record<ElementType, number>> = {
  bool: 1,
  u8: 1,
  i8: 1,
  u16: 2,
  i16: 2,
  u32: 4,
  i32: 4,
  u64: 8,
  i64: 8,
  f16: 2,
  f32: 4,
  f64: 8,
}

const hostIsLittleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1

/** The numbers in these bytes, which need not be aligned. Whole numbers of 64 bits become doubles. */
export function decodeElements(bytes: Uint8Array, type: ElementType, littleEndian: boolean): NumberArray {
  const size = elementBytes[type]
  const copy = Buffer.from(bytes)
  if (littleEndian !== hostIsLittleEndian) swap(copy, size)
  const whole = copy.buffer.slice(copy.byteOffset, copy.byteOffset + copy.length)
  switch (type) {
    case 'bool':
    case 'u8':
      return new Uint8Array(whole)
    case 'i8':
      return new Int8Array(whole)
    case 'u16':
      return new Uint16Array(whole)
    case 'i16':
      return new Int16Array(whole)
    case 'u32':
      return new Uint32Array(whole)
    case 'i32':
      return new Int32Array(whole)
    case 'f32':
      return new Float32Array(whole)
    case 'f64':
      return new Float64Array(whole)
    case 'f16':
      return Float32Array.from(new Uint16Array(whole), halfPrecision)
    case 'u64':
      return Float64Array.from(new BigUint64Array(whole), Number)
    case 'i64':
      return Float64Array.from(new BigInt64Array(whole), Number)
  }
}

function swap(bytes: Buffer, size: number): void {
  if (size === 2) bytes.swap16()
  if (size === 4) bytes.swap32()
  if (size === 8) bytes.swap64()
}

/** The same values in column-major order, as Fortran and some `.npy` files lay them, in row-major order. */
export function rowMajor(values: NumberArray, shape: readonly number[]): NumberArray {
  const out = values.slice()
  const index = new Array<number>(shape.length).fill(0)
  const strides = shape.map((_, axis) =>
    shape.slice(0, axis).reduce((product, extent) => product * extent, 1),
  )
  let from = 0
  for (let to = 0; to < out.length; to++) {
    out[to] = values[from] ?? 0
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const stride = strides[axis] ?? 0
      const next = (index[axis] ?? 0) + 1
      index[axis] = next
      from += stride
      if (next < (shape[axis] ?? 0)) break
      from -= next * stride
      index[axis] = 0
    }
  }
  return out
}

/** IEEE 754 binary16: a sign, 5 bits of exponent, 10 of fraction. */
export function halfPrecision(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1
  const exponent = (bits >> 10) & 0x1f
  const fraction = bits & 0x3ff
  if (exponent === 0) return sign * fraction * 2 ** -24
  if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15)
}
