import * as tf from '@tensorflow/tfjs-core'
import { bug } from '../base/bug.ts'
import type { Key } from './random.ts'
import type { Batch, DatasetSpec } from './training.ts'

/** A tensor on the host. */
export interface HostTensor {
  readonly values: ArrayLike<number>
  readonly shape: readonly number[]
  readonly dtype: tf.DataType
}

/** The batch with other values of the fields that are augmented; behind the end of an example its padding stays. */
export function augment(spec: DatasetSpec, batch: Batch, fitted: readonly HostTensor[], key: Key): Batch {
  const { augment: augmented } = spec
  if (augmented === undefined) return batch
  const made = tf.tidy(() => {
    const fits = fitted.map(({ values, shape, dtype }) =>
      tf.tensor([...Array.from(values)], [...shape], dtype),
    )
    const results = augmented.compute(Object.values(batch.fields), fits, key)
    return augmented.fields.map((name, i) =>
      padded(spec, batch, name, results[i] ?? bug('a field is missing')),
    )
  })
  const fields = { ...batch.fields }
  for (const [i, name] of augmented.fields.entries()) {
    const value = made[i] ?? bug('a field is missing')
    // What gives the field back as it was is the same tensor, and tidy kept nothing of it.
    if (value !== fields[name]) fields[name]?.dispose()
    fields[name] = value
  }
  return { ...batch, fields }
}

function padded({ schema }: DatasetSpec, { fields }: Batch, name: string, value: tf.Tensor): tf.Tensor {
  const field = schema.find(each => each.name === name)
  const mask = fields[`${name}.mask`]
  if (field?.ragged === undefined || mask === undefined) return value
  const places = tf.reshape(mask, [...mask.shape, ...field.shape.map(() => 1)])
  return tf.where(
    tf.broadcastTo(places, value.shape),
    value,
    tf.fill(value.shape, field.ragged.pad, field.dtype),
  )
}
