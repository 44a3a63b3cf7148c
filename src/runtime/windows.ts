import * as tf from '@tensorflow/tfjs-core'

/** Gradients by path; a parameter that the loss does not reach has none. */
export type Gradients = ReadonlyMap<string, tf.Tensor>

export function mapGradients(gradients: Gradients, change: (gradient: tf.Tensor) => tf.Tensor): Gradients {
  return new Map([...gradients].map(([path, gradient]) => [path, change(gradient)]))
}

/** Gradients of loss sums that wait for their window to end, and the weight they stand for. */
interface Window {
  calls: number
  weight: number
  readonly sums: Map<string, tf.Tensor>
}

/**
 * Accumulation windows. A window belongs to one `minimize` of a step; it holds the gradient of the *sum* of the losses
 * and the sum of their weights, so that the quotient is the gradient of the mean over all examples of the window,
 * however the batches differ in size.
 */
export class Windows {
  private readonly open = new Map<string, Window>()

  /** Adds a call's gradients; says how many calls the window now holds. */
  add(key: string, gradients: Gradients, weight: number): number {
    const window = this.open.get(key) ?? { calls: 0, weight: 0, sums: new Map() }
    this.open.set(key, window)
    for (const [path, gradient] of gradients) addTo(window.sums, path, gradient)
    window.weight += weight
    window.calls += 1
    return window.calls
  }

  /** Closes a window: the gradient of its mean, owned by the caller's scope. */
  close(key: string): Gradients {
    const window = this.open.get(key)
    this.open.delete(key)
    if (window === undefined || window.weight === 0) return disposed(window)
    const means = mapGradients(window.sums, sum => tf.div(sum, window.weight))
    disposed(window)
    return means
  }

  /** The windows still open, in the order in which they were opened. */
  keys(): readonly string[] {
    return [...this.open.keys()]
  }

  dispose(): void {
    for (const window of this.open.values()) disposed(window)
    this.open.clear()
  }
}

function addTo(sums: Map<string, tf.Tensor>, path: string, gradient: tf.Tensor): void {
  const old = sums.get(path)
  sums.set(path, tf.keep(old === undefined ? tf.clone(gradient) : tf.add(old, gradient)))
  old?.dispose()
}

function disposed(window: Window | undefined): Gradients {
  for (const sum of window?.sums.values() ?? []) sum.dispose()
  return new Map()
}
