import * as tf from '@tensorflow/tfjs-core'
import { renderCode } from '../../src/base/code.ts'
import type { Attrs, Step, ValueType } from '../../src/ir/ir.ts'
import { findOp } from '../../src/ops/index.ts'
import type { Op, Sample } from '../../src/ops/op.ts'
import { signatureOf } from '../../src/ops/signature.ts'
import * as kernels from '../../src/runtime/kernels.ts'
import * as random from '../../src/runtime/random.ts'
import type { Dim } from '../../src/types/dim.ts'
import type { DType, TensorType } from '../../src/types/tensor.ts'

/** What a sample's inputs hold: a tensor's type and numbers, or a key. */
export type Input =
  | { readonly type: TensorType; readonly values: Float32Array }
  | { readonly type: 'key'; readonly key: random.Key }

export type Value = tf.Tensor | random.Key

const tfjsDtype = { f32: 'float32', i32: 'int32', bool: 'bool' } as const

/** The dtype of an input: what the sample says, else f32 unless the signature asks for another one. */
function dtypeOf(pattern: string, said: DType | undefined): DType {
  if (said !== undefined) return said
  return pattern === 'I' || pattern === 'i32' ? 'i32' : pattern === 'B' || pattern === 'bool' ? 'bool' : 'f32'
}

/** The inputs of a sample, drawn from a fixed seed where their values aren't given; `lead` precedes each shape but a scalar's. */
export function inputsOf(
  name: string,
  op: Op,
  sample: Sample,
  lead: readonly number[] = [],
): readonly Input[] {
  const patterns = signatureOf(op.signature).inputs
  return sample.shapes.map((shape, i) => {
    const pattern = patterns[Math.min(i, patterns.length - 1)]!.type
    const key = random.rootKey(7, name, i)
    if (pattern === 'key') return { type: 'key', key }
    const dtype = dtypeOf(pattern.dtype, sample.dtypes?.[i])
    const led = shape.length > 0 ? [...lead, ...shape] : shape
    return { type: { dtype, shape: led }, values: valuesOf(key, shape, dtype, sample.inputs?.[i]) }
  })
}

function valuesOf(
  key: random.Key,
  shape: readonly number[],
  dtype: DType,
  said: NonNullable<Sample['inputs']>[number] | undefined,
): Float32Array {
  const count = shape.reduce((product, size) => product * size, 1)
  if (said !== undefined && 'values' in said) return Float32Array.from(said.values)
  if (dtype === 'bool') return Float32Array.from(random.bernoulliArray(key, count, 0.5))
  const { low, high } = said ?? { low: -2, high: 2 }
  const drawn = random.uniformArray(key, count, low, high)
  return dtype === 'i32' ? drawn.map(Math.round) : drawn
}

/** The tensor of an input, perhaps with other numbers. */
export function asValue(input: Input, values?: Float32Array): Value {
  if (input.type === 'key') return input.key
  return tf.tensor(values ?? input.values, input.type.shape as number[], tfjsDtype[input.type.dtype])
}

/** A JavaScript name for a value of the IR. */
function variable(name: string): string {
  return `v_${name.replace(/\W/g, '_')}`
}

/** Sizes that have a name in a type: `n` and `...r` in the text that {@link compile} makes. */
export interface Sizes {
  readonly n: number
  readonly r: readonly number[]
}

function sizeText(size: Dim): string {
  return String(size)
}

/** The steps as the function that a generated program would hold, from the named values to the results. */
export function compile(
  steps: readonly Step[],
  params: readonly { readonly name: string; readonly type: ValueType }[],
  results: readonly string[],
  sizes: Sizes = { n: 0, r: [] },
): (...values: Value[]) => readonly Value[] {
  const types = new Map(params.map(param => [param.name, param.type]))
  const lines = steps.map(step => {
    const op = findOp(step.op)!
    for (const output of step.outputs) types.set(output.name, output.type)
    const tensors = (names: readonly string[]) =>
      names.map(name => types.get(name)!).filter(type => type !== 'key')
    const context = {
      inputs: tensors(step.inputs),
      outputs: tensors(step.outputs.map(o => o.name)),
      dim: sizeText,
    }
    const code = op.tfjs(step.inputs.map(variable), step.attrs, context)
    return `const ${variable(step.outputs[0]!.name)} = ${renderCode(code, 'javascript')}`
  })
  const body = `'use strict'\n${lines.join('\n')}\nreturn [${results.map(variable).join(', ')}]`
  const compiled = new Function(
    'tf',
    'random',
    'kernels',
    'n',
    'r',
    ...params.map(param => variable(param.name)),
    body,
  )
  return (...values) => compiled(tf, random, kernels, sizes.n, sizes.r, ...values)
}

/** One application of an operator as a step. */
export function stepOf(name: string, inputs: readonly Input[], attrs: Attrs, type: ValueType): Step {
  const origin = { file: 'sample', line: 1, column: 1 }
  return { op: name, inputs: inputs.map((_, i) => `x${i}`), attrs, outputs: [{ name: 'y', type }], origin }
}

/** The parameters of the function around {@link stepOf}. */
export function paramsOf(types: readonly ValueType[]): { readonly name: string; readonly type: ValueType }[] {
  return types.map((type, i) => ({ name: `x${i}`, type }))
}
