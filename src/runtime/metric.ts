import * as tf from '@tensorflow/tfjs-core'
import type { MetricHolder, Tensors } from './training.ts'

/** The state of one metric under one log name, from the first batch of a pass to its end. */
export class MetricState<S extends Tensors = Tensors> {
  readonly holder: MetricHolder<S>
  private committed: S
  private pending: S | undefined

  /** From the start values, or from copies of those given. */
  constructor(holder: MetricHolder<S>, state?: S) {
    this.holder = holder
    this.committed = state === undefined ? startValues(holder) : owned(state)
  }

  /** What has been counted. */
  tensors(): S {
    return this.committed
  }

  /** Takes a batch in; it counts when the step commits. */
  update(change: (state: S) => S): void {
    const next = tf.tidy(() => owned(change(this.current)))
    if (this.pending !== undefined) disposeAll(this.pending)
    this.pending = next
  }

  /** As the step under way has left them. */
  get current(): S {
    return this.pending ?? this.committed
  }

  commit(): void {
    if (this.pending === undefined) return
    disposeAll(this.committed)
    this.committed = this.pending
    this.pending = undefined
  }

  /** The batch was left out. */
  drop(): void {
    if (this.pending !== undefined) disposeAll(this.pending)
    this.pending = undefined
  }

  /**
   * The numbers of its result by the names that they are logged under: `auc.auroc` for a field of a record, `confusion[0][1]` for an
   * element; the caller's to free.
   */
  results(name: string): Tensors {
    return tf.tidy(() => {
      const result = this.holder.spec.compute(this.committed)
      const fields = result instanceof tf.Tensor ? [[name, result] as const] : fieldsOf(name, result)
      return Object.fromEntries(fields.flatMap(([field, value]) => elementsOf(field, value)))
    })
  }

  dispose(): void {
    this.drop()
    disposeAll(this.committed)
  }
}

function fieldsOf(name: string, result: Tensors): readonly (readonly [name: string, value: tf.Tensor])[] {
  return Object.entries(result).map(([field, value]) => [`${name}.${field}`, value])
}

/** A tensor of numbers as its numbers, by their places. */
function elementsOf(name: string, value: tf.Tensor): readonly (readonly [name: string, value: tf.Tensor])[] {
  if (value.rank === 0) return [[name, tf.clone(value)]]
  return value.size === 0 ? [] : tf.unstack(value).flatMap((part, i) => elementsOf(`${name}[${i}]`, part))
}

/** Copies of handles, not of data: whatever the update returned, these are the state's own to keep and to free. */
function owned<S extends Tensors>(state: S): S {
  const copies = Object.entries(state).map(([name, tensor]) => [name, tf.keep(tf.clone(tensor))] as const)
  // Same names, same tensors: `fromEntries` only forgets which names.
  return Object.fromEntries(copies) as unknown as S
}

function startValues<S extends Tensors>({ spec }: MetricHolder<S>): S {
  const states: readonly (readonly [string, StateSpec])[] = Object.entries<StateSpec>(spec.states)
  const values = states.map(([name, state]) => [name, startValue(state)] as const)
  // The specification has exactly the names of S.
  return Object.fromEntries(values) as unknown as S
}

type StateSpec = MetricHolder['spec']['states'][string]

function startValue({ shape, value, dtype }: StateSpec): tf.Tensor {
  return tf.keep(tf.tidy(() => tf.fill([...shape], value, dtype)))
}

function disposeAll(state: Tensors): void {
  for (const tensor of Object.values(state)) tensor.dispose()
}
