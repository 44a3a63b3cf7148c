import * as tf from '@tensorflow/tfjs-core'
import { variableOf } from './model.ts'
import type { BufferState, ParameterState } from './training.ts'

type Buffers = ReadonlyMap<string, BufferState>

/** Buffers take over what the step has written, now that it has ended. */
export function commitBuffers(buffers: Buffers): void {
  // All values first: what was written may be another buffer as it was before.
  const written = [...buffers.values()].flatMap(state => {
    const value = state.written
    state.written = undefined
    return value === undefined ? [] : [{ state, value: tf.clone(value) }]
  })
  for (const { state, value } of written) variableOf(state).assign(value)
  tf.dispose(written.map(({ value }) => value))
}

/** Forgets what a step has written that was left out or failed. */
export function dropWrites(buffers: Buffers): void {
  for (const state of buffers.values()) state.written = undefined
}

/** What a program sees of a parameter, outside of steps. */
export function constrainedValue(state: ParameterState, buffers: Buffers): tf.Tensor {
  const { constraint } = state.spec
  const raw = variableOf(state)
  if (constraint === undefined) return raw
  const kept = (constraint.buffers ?? []).map(path => {
    const buffer = buffers.get(path)
    if (buffer === undefined) throw new TypeError(`there is no buffer ${path}`)
    return variableOf(buffer)
  })
  return constraint.forward(raw, ...kept)
}
