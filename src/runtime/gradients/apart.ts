import * as tf from '@tensorflow/tfjs-core'

/**
 * A gradient whose results are tensors of their own. When a value gets a second gradient, tfjs adds the two and disposes
 * of the first: were that one handed on from the result, or saved from the forward pass, others would lose it as well.
 */
export function apart(config: tf.GradConfig): tf.GradConfig {
  return {
    ...config,
    gradFunc: (dy, saved, attrs) => {
      const shared = new Set([...(Array.isArray(dy) ? dy : [dy]), ...saved])
      const thunks = Object.entries(config.gradFunc(dy, saved, attrs))
      return Object.fromEntries(thunks.map(([input, thunk]) => [input, () => own(thunk(), shared)]))
    },
  }
}

function own(gradient: tf.Tensor, shared: ReadonlySet<tf.Tensor>): tf.Tensor {
  return shared.has(gradient) ? tf.clone(gradient) : gradient
}
