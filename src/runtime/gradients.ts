import * as tf from '@tensorflow/tfjs-core'
import { apart } from './gradients/apart.ts'
import { elementwise } from './gradients/elementwise.ts'
import { layout } from './gradients/layout.ts'
import { reduce } from './gradients/reduce.ts'
import { replaceCast } from './kernels/cast.ts'
import { conv2dInputKernel, conv2dKernel, conv2dWeightKernel } from './kernels/convolution.ts'
import { log1pKernel, logSoftmaxKernel, logSumExpKernel, stopGradientKernel } from './kernels/functions.ts'
import { gatherKernel, pickKernel, scatterAddKernel } from './kernels/indexing.ts'
import { replaceMatMul } from './kernels/matMul.ts'
import { avgPoolInputKernel, avgPoolKernel, maxPoolIndexKernel, maxPoolKernel } from './kernels/pooling.ts'
import { replaceReductions } from './kernels/reductions.ts'
import { replaceSign } from './kernels/sign.ts'
import { maxPoolHitsKernel } from './kernels/taps.ts'
import { replaceTile } from './kernels/tile.ts'

const own = [
  conv2dKernel,
  conv2dInputKernel,
  conv2dWeightKernel,
  log1pKernel,
  logSumExpKernel,
  logSoftmaxKernel,
  stopGradientKernel,
  gatherKernel,
  scatterAddKernel,
  pickKernel,
  maxPoolIndexKernel,
  maxPoolKernel,
  maxPoolHitsKernel,
  avgPoolKernel,
  avgPoolInputKernel,
]

/**
 * Registers a gradient for every kernel that generated programs use, and the runtime's own kernels. tfjs-core alone has
 * none in Node, and some of those in the full package are wrong (ties, kinks, integers, running sums); see each file for
 * the rules chosen here. Called after a backend has loaded, it replaces what that brought; again changes nothing.
 */
export function registerGradients(): void {
  for (const kernel of own) kernel.register()
  replaceTile()
  replaceMatMul()
  replaceCast()
  replaceReductions()
  replaceSign()
  for (const config of [...elementwise, ...reduce, ...layout]) tf.registerGradient(apart(config))
}
