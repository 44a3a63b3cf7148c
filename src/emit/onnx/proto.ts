import type { OnnxAttr, OnnxDType } from '../../ops/onnx.ts'
import { elementType } from '../../ops/onnx.ts'

/** What of a model is written down; the numbers of fields below are those of onnx.proto (ONNX 1.23, IR version 10). */
export interface OnnxModel {
  readonly name: string
  readonly nodes: readonly OnnxNode[]
  readonly constants: readonly OnnxConstant[]
  readonly inputs: readonly OnnxTensorInfo[]
  readonly outputs: readonly OnnxTensorInfo[]
}

export interface OnnxNode {
  readonly name: string
  readonly type: string
  /** Empty for standard operators. */
  readonly domain: string
  /** An absent input is empty. */
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  readonly attrs: Readonly<Record<string, OnnxAttr>>
}

export interface OnnxConstant {
  readonly name: string
  readonly dtype: OnnxDType
  readonly shape: readonly number[]
  readonly values: readonly number[]
}

export interface OnnxTensorInfo {
  readonly name: string
  readonly dtype: OnnxDType
  readonly shape: readonly number[]
}

/** The version of the file format, and those of the sets of operators. */
const irVersion = 10
const operatorSets = { '': 21, 'com.microsoft': 1, 'com.microsoft.nchwc': 1 }

/** A model as the bytes of a file. Sets of operators that no node is of are left out. */
export function encodeModel(model: OnnxModel): Uint8Array {
  const out = new Writer()
  out.integer(1, irVersion)
  out.text(2, 'ltm')
  out.message(7, graph => writeGraph(graph, model))
  for (const [domain, version] of Object.entries(operatorSets)) {
    if (domain !== '' && !model.nodes.some(node => node.domain === domain)) continue
    out.message(8, set => {
      set.text(1, domain)
      set.integer(2, version)
    })
  }
  return out.bytes()
}

function writeGraph(out: Writer, { name, nodes, constants, inputs, outputs }: OnnxModel): void {
  for (const node of nodes) out.message(1, message => writeNode(message, node))
  out.text(2, name)
  for (const constant of constants) out.message(5, message => writeConstant(message, constant))
  for (const input of inputs) out.message(11, message => writeInfo(message, input))
  for (const output of outputs) out.message(12, message => writeInfo(message, output))
}

function writeNode(out: Writer, { name, type, domain, inputs, outputs, attrs }: OnnxNode): void {
  for (const input of inputs) out.text(1, input)
  for (const output of outputs) out.text(2, output)
  out.text(3, name)
  out.text(4, type)
  for (const [key, value] of Object.entries(attrs))
    out.message(5, message => {
      message.text(1, key)
      writeAttr(message, value)
    })
  if (domain !== '') out.text(7, domain)
}

/** The value of an attribute, and which kind it is of (field 20). */
function writeAttr(out: Writer, value: OnnxAttr): void {
  if (typeof value === 'number') {
    out.integer(3, value)
    out.integer(20, 2)
  } else if (typeof value === 'string') {
    out.text(4, value)
    out.integer(20, 3)
  } else if ('float' in value) {
    out.float(2, value.float)
    out.integer(20, 1)
  } else {
    for (const item of value) out.integer(8, item)
    out.integer(20, 7)
  }
}

function writeConstant(out: Writer, { name, dtype, shape, values }: OnnxConstant): void {
  for (const size of shape) out.integer(1, size)
  out.integer(2, elementType(dtype))
  out.text(8, name)
  out.raw(9, bytesOf(dtype, values))
}

/** Elements as they lie in memory; ONNX stores them lowest byte first. */
function bytesOf(dtype: OnnxDType, values: readonly number[]): Uint8Array {
  if (dtype === 'bool') return Uint8Array.from(values, value => (value === 0 ? 0 : 1))
  const width = dtype === 'i64' ? 8 : 4
  const view = new DataView(new ArrayBuffer(width * values.length))
  for (const [i, value] of values.entries()) {
    if (dtype === 'f32') view.setFloat32(i * width, value, true)
    else if (dtype === 'i32') view.setInt32(i * width, value, true)
    else view.setBigInt64(i * width, BigInt(value), true)
  }
  return new Uint8Array(view.buffer)
}

function writeInfo(out: Writer, { name, dtype, shape }: OnnxTensorInfo): void {
  out.text(1, name)
  out.message(2, type =>
    type.message(1, tensor => {
      tensor.integer(1, elementType(dtype))
      tensor.message(2, dims => {
        for (const size of shape) dims.message(1, dim => dim.integer(1, size))
      })
    }),
  )
}

// ── Protocol buffers ────────────────────────────────────────────────────────────────────────────────────────────────

const encoder = new TextEncoder()

/** Writes the fields of a message in the wire format of Protocol Buffers. */
class Writer {
  #data = new Uint8Array(256)
  #length = 0

  bytes(): Uint8Array {
    return this.#data.slice(0, this.#length)
  }

  integer(field: number, value: number): void {
    this.#varint(field * 8)
    this.#varint(value)
  }

  float(field: number, value: number): void {
    this.#varint(field * 8 + 5)
    this.#reserve(4)
    new DataView(this.#data.buffer).setFloat32(this.#length, value, true)
    this.#length += 4
  }

  text(field: number, value: string): void {
    this.raw(field, encoder.encode(value))
  }

  raw(field: number, value: Uint8Array): void {
    this.#varint(field * 8 + 2)
    this.#varint(value.length)
    this.#append(value)
  }

  message(field: number, write: (message: Writer) => void): void {
    const message = new Writer()
    write(message)
    this.raw(field, message.#data.subarray(0, message.#length))
  }

  /** Seven bits a byte, lowest first. A negative number is written as its 64-bit complement. */
  #varint(value: number): void {
    this.#reserve(10)
    if (value < 0) {
      let rest = BigInt.asUintN(64, BigInt(value))
      for (; rest >= 128n; rest >>= 7n) this.#data[this.#length++] = Number(rest & 127n) | 128
      this.#data[this.#length++] = Number(rest)
      return
    }
    let rest = value
    for (; rest >= 128; rest = Math.floor(rest / 128)) this.#data[this.#length++] = (rest % 128) | 128
    this.#data[this.#length++] = rest
  }

  #append(value: Uint8Array): void {
    this.#reserve(value.length)
    this.#data.set(value, this.#length)
    this.#length += value.length
  }

  #reserve(count: number): void {
    if (this.#length + count <= this.#data.length) return
    const grown = new Uint8Array(Math.max(2 * this.#data.length, this.#length + count))
    grown.set(this.#data.subarray(0, this.#length))
    this.#data = grown
  }
}
