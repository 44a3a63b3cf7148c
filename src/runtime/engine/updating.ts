import type * as tf from '@tensorflow/tfjs-core'
import type { OptimizerState } from '../optimizer.ts'
import type { Clocks, Numbers, OptimizerGroupSpec, TrainerOptions } from '../training.ts'
import type { Gradients } from '../windows.ts'

/** How a compiled engine moves parameters; what it leaves is done operator by operator. */
export interface Updating {
  /** Whether all gradients are finite. */
  allFinite(gradients: Gradients): boolean
  /** Moves all parameters that have gradients, clipped, with their slots; false where that has to be done one by one. */
  moveAll?(state: OptimizerState, gradients: Gradients, clip: TrainerOptions['clip'], clock: Clocks): boolean
  /** Gradients clipped as `clipGradients` does; what `update` then multiplies them by may be a part of it. */
  clip?(state: OptimizerState, gradients: Gradients, clip: TrainerOptions['clip']): Gradients
  /** Moves a parameter and its slots; false where it can't. */
  update?(
    state: OptimizerState,
    group: OptimizerGroupSpec,
    path: string,
    gradient: tf.Tensor,
    t: number,
    settings: Numbers,
  ): boolean
}
