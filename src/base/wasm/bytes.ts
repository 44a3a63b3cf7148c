/** Bytes of a WebAssembly module as they are put together: numbers, and pieces of them. */
export type Bytes = readonly (number | Bytes)[]

/** A whole number of up to 32 bits without a sign, in LEB128. */
export function unsigned(value: number): Bytes {
  const low = value & 0x7f
  const rest = value >>> 7
  return rest === 0 ? [low] : [low | 0x80, unsigned(rest)]
}

/** A whole number of up to 32 bits with a sign, in LEB128. */
export function signed(value: number): Bytes {
  const low = value & 0x7f
  const rest = value >> 7
  const done = (rest === 0 && (low & 0x40) === 0) || (rest === -1 && (low & 0x40) !== 0)
  return done ? [low] : [low | 0x80, signed(rest)]
}

/** A 32-bit float, the least significant byte first. */
export function float32(value: number): Bytes {
  const view = new DataView(new ArrayBuffer(4))
  view.setFloat32(0, value, true)
  return [...new Uint8Array(view.buffer)]
}

/** A 64-bit float, the least significant byte first. */
export function float64(value: number): Bytes {
  const view = new DataView(new ArrayBuffer(8))
  view.setFloat64(0, value, true)
  return [...new Uint8Array(view.buffer)]
}

/** A name: how many bytes it has, then these. */
export function nameBytes(name: string): Bytes {
  return sized([...new TextEncoder().encode(name)])
}

/** Items behind their number. */
export function list(items: readonly Bytes[]): Bytes {
  return [unsigned(items.length), items]
}

/** Bytes behind their number. */
export function sized(bytes: Bytes): Bytes {
  const plain = flat(bytes)
  return [unsigned(plain.length), plain]
}

/** The numbers alone. */
export function flat(bytes: Bytes): readonly number[] {
  const numbers: number[] = []
  append(bytes, numbers)
  return numbers
}

/** An index is half the price of an iterator before V8 has compiled it, and most modules are written once, then. */
function append(bytes: Bytes, numbers: number[]): void {
  for (let i = 0; i < bytes.length; i++) {
    const each = bytes[i]
    if (typeof each === 'number') numbers.push(each)
    else if (each !== undefined) append(each, numbers)
  }
}
