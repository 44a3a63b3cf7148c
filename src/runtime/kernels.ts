/** What generated programs call under the name `kernels`, where a single call to tfjs isn't right on every backend. */
export { conv2d, conv2dInput, conv2dWeight } from './kernels/convolution.ts'
export { log1p, logSoftmax, logSumExp, softmax, stopGradient } from './kernels/functions.ts'
export { gather, pick, scatterAdd } from './kernels/indexing.ts'
export { avgPool2d, avgPool2dInput, maxPool2d, maxPool2dIndex } from './kernels/pooling.ts'
export { cumsum, pad, size, slice, sumTo, swapLast } from './kernels/shapes.ts'
