/**
 * How long an update of Adam takes, by the number of parameters: `node --import tsx bench/updates.ts`. The module that is compiled
 * from the IR, the same formula as a loop of JavaScript, and the eager engine's update on its backends without native code. Each
 * number is the median of several updates in one process.
 */
import { cpus } from 'node:os'
import * as tf from '@tensorflow/tfjs-core'
import { compileUpdate } from '../src/emit/wasm/update.ts'
import { startBackend } from '../src/runtime/backends.ts'
import { Arena } from '../src/runtime/engine/arena.ts'
import { type Vectors, vectorsOn } from '../src/runtime/engine/vectors.ts'
import { compileText, importProgram } from '../test/kit/evaluate.ts'
import { benchOf, hostNumbers } from '../test/kit/updates.ts'

const sizes = [100_000, 867_000, 10_000_000]
const settings = { lr: 0.001, beta1: 0.9, beta2: 0.999, eps: 1e-8 }

const text = `train T {
  param w: f32[4] = zeros()
  optimizer adam = Adam(w, lr: 0.001)
  step train() { minimize loss = sum(w) }
  trainer { epochs: 1 }
}`
const program = compileText(text).programs[0]!
const compiled = compileUpdate(program.functions.find(({ role }) => role === 'update')!)!
const group = (await importProgram(program)).optimizers[0]!.spec.groups[0]!

/** One way to update: what it prepares for so many parameters, and an update that can be repeated. */
type Way = (count: number) => { readonly update: (t: number) => void; readonly done?: () => void }

function gradientOf(count: number): Float32Array {
  return Float32Array.from({ length: count }, (_, i) => ((i * 2654435761) % 1000) / 1e5 - 0.005)
}

const webassembly: Way = count => {
  const { tensors, run } = benchOf(compiled, count)
  tensors.at(-1)!.set(gradientOf(count))
  return { update: t => run(1, hostNumbers(compiled.scalars, { t, ...settings })) }
}

const javascript: Way = count => {
  const [m, v, param] = [new Float32Array(count), new Float32Array(count), new Float32Array(count)]
  const gradient = gradientOf(count)
  const { lr, beta1, beta2, eps } = settings
  const update = (t: number): void => {
    const [first, second] = [1 - beta1 ** t, 1 - beta2 ** t]
    for (let i = 0; i < count; i++) {
      const g = gradient[i]!
      m[i] = beta1 * m[i]! + (1 - beta1) * g
      v[i] = beta2 * v[i]! + (1 - beta2) * g * g
      param[i] = param[i]! - (lr * (m[i]! / first)) / (Math.sqrt(v[i]! / second) + eps)
    }
  }
  return { update }
}

const eager: Way = count => {
  const gradient = tf.tensor1d(gradientOf(count))
  const slots = { m: tf.variable(tf.zeros([count])), v: tf.variable(tf.zeros([count])) }
  const param = tf.variable(tf.zeros([count]))
  const update = (t: number): void => {
    const after = tf.tidy(() => group.update(slots, param, gradient, t, settings))
    slots.m.assign(after.m!)
    slots.v.assign(after.v!)
    param.assign(after.param!)
  }
  const done = (): void => {
    tf.disposeVariables()
    gradient.dispose()
  }
  return { update, done }
}

function median(numbers: readonly number[]): number {
  return [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN
}

/** Nanoseconds per parameter of several updates, after those that let V8 compile what is hot. */
function measured(way: Way, count: number): readonly number[] {
  const repetitions = Math.max(5, Math.min(51, Math.round(3e7 / count)))
  const { update, done } = way(count)
  for (let t = 1; t <= 5; t++) update(t)
  const times = Array.from({ length: repetitions }, (_, i) => {
    const began = performance.now()
    update(6 + i)
    return ((performance.now() - began) * 1e6) / count
  })
  done?.()
  return times
}

/** A pass over the gradient alone: what clipping by norm and the look for what is not finite take. */
const vectors =
  (use: (vectors: Vectors, count: number) => void): Way =>
  count => {
    const arena = Arena.of([{ name: 'gradient', count }])!
    arena.view('gradient').set(gradientOf(count))
    const made = vectorsOn(arena.memory)
    return { update: () => use(made, count) }
  }

const ways: readonly (readonly [name: string, backend: string, way: Way])[] = [
  ['compiled', 'cpu', webassembly],
  ['JavaScript', 'cpu', javascript],
  ['eager on wasm', 'wasm', eager],
  ['eager on cpu', 'cpu', eager],
  ['sum of squares', 'cpu', vectors((made, count) => made.sumOfSquares(0, count))],
  ['all finite', 'cpu', vectors((made, count) => made.allFinite(0, count))],
]

console.log(`Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model ?? 'unknown processor'}\n`)
console.log('| way | parameters | ns per parameter | least | most | ms |')
console.log('| --- | ---: | ---: | ---: | ---: | ---: |')
for (const count of sizes)
  for (const [name, backend, way] of ways) {
    await startBackend(backend)
    const times = measured(way, count)
    const shown = [median(times), Math.min(...times), Math.max(...times)].map(each => each.toFixed(2))
    console.log(
      `| ${name} | ${count} | ${shown.join(' | ')} | ${((median(times) * count) / 1e6).toFixed(2)} |`,
    )
  }
