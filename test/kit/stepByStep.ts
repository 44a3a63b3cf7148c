import * as tf from '@tensorflow/tfjs-core'
import type { Func } from '../../src/ir/ir.ts'
import { rootKey, uniformArray } from '../../src/runtime/random.ts'
import { onBackend, scoped } from './backends.ts'
import { compile } from './operator.ts'

const tfjsDtypes = { f32: 'float32', i32: 'int32', bool: 'bool' } as const

/** Numbers for the parameters of a function of fixed sizes: those given by name, the others from [-1, 1), whole ones 0 or 1. */
export function inputsOf(
  func: Func,
  given: Readonly<Record<string, readonly number[]>> = {},
): Float32Array[] {
  return func.params.map(({ name, type }) => {
    if (type === 'key') throw new Error('a key')
    const count = type.shape.reduce<number>((product, size) => product * Number(size), 1)
    const drawn = uniformArray(rootKey(11, name), count, -1, 1)
    return Float32Array.from(given[name] ?? (type.dtype === 'f32' ? drawn : drawn.map(v => Number(v > 0))))
  })
}

/** The numbers of all results, one step after the other on tfjs. */
export function stepByStep(func: Func, inputs: readonly Float32Array[]): Promise<number[][]> {
  return onBackend('cpu', () =>
    scoped(async () => {
      const tensors = func.params.map(({ type }, i) => {
        if (type === 'key') throw new Error('a key')
        return tf.tensor(inputs[i]!, type.shape.map(Number), tfjsDtypes[type.dtype])
      })
      const results = compile(func.steps, func.params, func.results)(...tensors)
      return Promise.all(results.map(async each => [...(await (each as tf.Tensor).data())])) // no key is a result here
    }),
  )
}
