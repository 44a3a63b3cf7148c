const codes = { bool: '|b1', int32: '<i4', float32: '<f4' } as const

/** Row-major numbers in NumPy's format, version 1.0; the data begins at a multiple of 64 bytes. */
export function writeNpy(
  dtype: keyof typeof codes,
  shape: readonly number[],
  values: readonly number[],
): Buffer {
  return arrayOf(codes[dtype], shape, bytesOf(dtype, values))
}

/** Texts as NumPy has them: all as long as the longest, four bytes a code point. */
export function writeTexts(shape: readonly number[], texts: readonly string[]): Buffer {
  const points = texts.map(text => [...text].map(sign => sign.codePointAt(0) ?? 0))
  const longest = points.reduce((most, { length }) => Math.max(most, length), 1)
  const bytes = Buffer.alloc(4 * longest * texts.length)
  for (const [i, text] of points.entries())
    for (const [j, point] of text.entries()) bytes.writeUInt32LE(point, 4 * (i * longest + j))
  return arrayOf(`<U${longest}`, shape, bytes)
}

function arrayOf(code: string, shape: readonly number[], data: Buffer): Buffer {
  const sizes = shape.length === 1 ? `${shape[0]},` : shape.join(', ')
  const header = `{'descr': '${code}', 'fortran_order': False, 'shape': (${sizes}), }`
  const length = Math.ceil((11 + header.length) / 64) * 64 - 10
  const head = Buffer.alloc(10, '\x93NUMPY\x01\x00', 'latin1')
  head.writeUInt16LE(length, 8)
  return Buffer.concat([head, Buffer.from(`${header.padEnd(length - 1)}\n`), data])
}

function bytesOf(dtype: keyof typeof codes, values: readonly number[]): Buffer {
  if (dtype === 'bool') return Buffer.from(values)
  const bytes = Buffer.alloc(4 * values.length)
  for (const [i, value] of values.entries()) {
    if (dtype === 'int32') bytes.writeInt32LE(value, 4 * i)
    else bytes.writeFloatLE(value, 4 * i)
  }
  return bytes
}
