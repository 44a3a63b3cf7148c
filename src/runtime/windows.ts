import * as tf from '@tensorflow/tfjs-core'

/** Gradients by path; a parameter that the loss does not reach has none. */
export type Gradients = ReadonlyMap<string, tf.Tensor>

export function mapGradients(
  gradients: Gradients,
  change: (gradient: tf.Tensor, path: string) => tf.Tensor,
): Gradients {
  return new Map([...gradients].map(([path, gradient]) => [path, change(gradient, path)]))
}

/** What windows compute; TensorFlow.js does it tensor by tensor. */
export interface WindowArithmetic {
  /** A tensor of the window's own with these numbers: the next batch's gradient may take the memory of this one's. */
  own(tensor: tf.Tensor): tf.Tensor
  add(sums: readonly tf.Tensor[], gradients: readonly tf.Tensor[]): readonly tf.Tensor[]
  quotient(sums: readonly tf.Tensor[], weight: number): readonly tf.Tensor[]
}

const byTensor: WindowArithmetic = {
  own: tensor => tf.mul(tensor, 1),
  add: (sums, gradients) => sums.map((sum, i) => tf.add(sum, gradients[i]!)),
  quotient: (sums, weight) => sums.map(sum => tf.div(sum, weight)),
}

/** What one call adds of a term: the gradient of its sum, and the weight that the sum stands for. */
export interface WindowPart {
  readonly gradients: Gradients
  readonly weight: number
}

/** Gradients of loss sums that wait for their window to end, term by term. */
interface Window {
  calls: number
  readonly terms: { weight: number; readonly sums: Map<string, tf.Tensor> }[]
}

/** A window as a checkpoint holds it. */
export interface OpenWindow {
  readonly key: string
  readonly calls: number
  readonly terms: readonly { readonly weight: number; readonly sums: ReadonlyMap<string, tf.Tensor> }[]
}

/**
 * Accumulation windows. A window belongs to one `minimize` of a step; for each of its terms it holds the gradient of the
 * *sum* of the losses and the sum of their weights, so that the quotient is the gradient of the mean over all examples of
 * the window, however the batches differ in size. The means of several terms add up.
 */
export class Windows {
  private readonly open = new Map<string, Window>()
  private readonly arithmetic: WindowArithmetic

  constructor(arithmetic: WindowArithmetic = byTensor) {
    this.arithmetic = arithmetic
  }

  /** Adds a call's gradients; says how many calls the window now holds. */
  add(key: string, parts: readonly WindowPart[]): number {
    const window = this.open.get(key) ?? {
      calls: 0,
      terms: parts.map(() => ({ weight: 0, sums: new Map<string, tf.Tensor>() })),
    }
    this.open.set(key, window)
    for (const [i, term] of window.terms.entries()) {
      const part = parts[i]
      // A term that nothing counted in has no mean, whatever its gradients are.
      if (part === undefined || part.weight === 0) continue
      this.grow(term.sums, part.gradients)
      term.weight += part.weight
    }
    window.calls += 1
    return window.calls
  }

  private grow(sums: Map<string, tf.Tensor>, gradients: Gradients): void {
    const { own, add } = this.arithmetic
    const known = [...gradients].filter(([path]) => sums.has(path))
    const grown = add(
      known.map(([path]) => sums.get(path)!),
      known.map(([, gradient]) => gradient),
    )
    const old = known.map(([path]) => sums.get(path)!)
    for (const [path, gradient] of gradients) if (!sums.has(path)) sums.set(path, tf.keep(own(gradient)))
    for (const [i, [path]] of known.entries()) sums.set(path, tf.keep(grown[i]!))
    tf.dispose(old)
  }

  /** Closes a window: the gradient of the sum of its means, owned by the caller's scope. */
  close(key: string): Gradients {
    const window = this.open.get(key)
    this.open.delete(key)
    const total = new Map<string, tf.Tensor>()
    for (const { sums, weight } of window?.terms ?? [])
      this.addMeans(total, [...sums.keys()], this.arithmetic.quotient([...sums.values()], weight))
    disposed(window)
    return total
  }

  private addMeans(
    total: Map<string, tf.Tensor>,
    paths: readonly string[],
    means: readonly tf.Tensor[],
  ): void {
    for (const [i, path] of paths.entries()) {
      const before = total.get(path)
      const [sum] = before === undefined ? [means[i]!] : this.arithmetic.add([before], [means[i]!])
      total.set(path, sum!)
    }
  }

  /** What the open windows hold; the tensors stay theirs. */
  contents(): readonly OpenWindow[] {
    return [...this.open].map(([key, { calls, terms }]) => ({ key, calls, terms }))
  }

  /** Opens windows as they were; the tensors are copied. */
  restore(windows: readonly OpenWindow[]): void {
    for (const { key, calls, terms } of windows) {
      const copies = terms.map(({ weight, sums }) => ({
        weight,
        sums: new Map([...sums].map(([path, sum]) => [path, tf.keep(tf.clone(sum))])),
      }))
      this.open.set(key, { calls, terms: copies })
    }
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

function disposed(window: Window | undefined): void {
  for (const { sums } of window?.terms ?? []) for (const sum of sums.values()) sum.dispose()
}
