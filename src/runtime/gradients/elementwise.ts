import * as tf from '@tensorflow/tfjs-core'
import { sumTo } from '../kernels/shapes.ts'
import { binary, byResult, flat, one, unary } from './config.ts'

/** 1 where the condition holds and 0 elsewhere. */
function indicator(condition: tf.Tensor): tf.Tensor {
  return tf.cast(condition, 'float32')
}

/** 1 - v². */
function oneMinusSquare(v: tf.Tensor): tf.Tensor {
  return tf.sub(1, tf.mul(v, v))
}

const functions: readonly tf.GradConfig[] = [
  unary('Neg', dy => tf.neg(dy)),
  byResult('Exp', (dy, y) => tf.mul(dy, y)),
  byResult('Expm1', (dy, y) => tf.mul(dy, tf.add(y, 1))),
  unary('Log', (dy, x) => tf.div(dy, x)),
  unary('Log1p', (dy, x) => tf.div(dy, tf.add(x, 1))),
  byResult('Sqrt', (dy, y) => tf.div(dy, tf.mul(y, 2))),
  byResult('Rsqrt', (dy, y) => tf.mul(dy, tf.mul(-0.5, tf.mul(y, tf.mul(y, y))))),
  unary('Square', (dy, x) => tf.mul(dy, tf.mul(2, x))),
  byResult('Reciprocal', (dy, y) => tf.neg(tf.mul(dy, tf.mul(y, y)))),
  unary('Abs', (dy, x) => tf.mul(dy, tf.sign(x))),
  // A step is one pass on wasm; a comparison and its conversion are two, the second in JavaScript.
  unary('Relu', (dy, x) => tf.mul(dy, tf.step(x))),
  unary('Sin', (dy, x) => tf.mul(dy, tf.cos(x))),
  unary('Cos', (dy, x) => tf.neg(tf.mul(dy, tf.sin(x)))),
  byResult('Tan', (dy, y) => tf.mul(dy, tf.add(1, tf.mul(y, y)))),
  unary('Asin', (dy, x) => tf.mul(dy, tf.rsqrt(oneMinusSquare(x)))),
  unary('Acos', (dy, x) => tf.neg(tf.mul(dy, tf.rsqrt(oneMinusSquare(x))))),
  unary('Atan', (dy, x) => tf.div(dy, tf.add(1, tf.mul(x, x)))),
  byResult('Tanh', (dy, y) => tf.mul(dy, oneMinusSquare(y))),
  unary('Atanh', (dy, x) => tf.div(dy, oneMinusSquare(x))),
  byResult('Sigmoid', (dy, y) => tf.mul(dy, tf.mul(y, tf.sub(1, y)))),
  // d/dx erf(x) = 2/√π · exp(-x²).
  unary('Erf', (dy, x) => tf.mul(dy, tf.mul(2 / Math.sqrt(Math.PI), tf.exp(tf.neg(tf.mul(x, x)))))),
  unary('Identity', dy => tf.cast(dy, 'float32')),
  unary('Cast', (dy, x, { dtype }) =>
    x.dtype === 'float32' && dtype === 'float32' ? tf.clone(dy) : tf.zeros(x.shape),
  ),
]

/** All of the gradient to the winner, half of it to each at a tie. */
function share(wins: tf.Tensor, a: tf.Tensor, b: tf.Tensor): tf.Tensor {
  return tf.add(indicator(wins), tf.mul(0.5, indicator(tf.equal(a, b))))
}

/** b·a^(b-1), and 0 for b = 0, where the formula is 0·∞ at a = 0. */
function powerRule(a: tf.Tensor, b: tf.Tensor): tf.Tensor {
  return tf.where(tf.equal(b, 0), 0, tf.mul(b, tf.pow(a, tf.sub(b, 1))))
}

/** log(a) where a > 0 and 0 elsewhere, without an infinity on the way that would spoil the gradient. */
function safeLog(a: tf.Tensor): tf.Tensor {
  return tf.log(tf.where(tf.greater(a, 0), a, 1))
}

const arithmetic: readonly tf.GradConfig[] = [
  binary('Add', dy => [() => dy, () => dy]),
  binary('Sub', dy => [() => dy, () => tf.neg(dy)]),
  binary('Multiply', (dy, a, b) => [() => tf.mul(dy, b), () => tf.mul(dy, a)]),
  binary('RealDiv', (dy, a, b) => [() => tf.div(dy, b), () => tf.neg(tf.mul(tf.div(dy, b), tf.div(a, b)))]),
  binary('SquaredDifference', (dy, a, b) => [
    () => tf.mul(dy, tf.mul(2, tf.sub(a, b))),
    () => tf.mul(dy, tf.mul(2, tf.sub(b, a))),
  ]),
  binary('Mod', (dy, a, b) => [() => dy, () => tf.neg(tf.mul(dy, tf.floor(tf.div(a, b))))]),
  binary('Pow', (dy, a, b) => [
    () => tf.mul(dy, powerRule(a, b)),
    () => tf.mul(dy, tf.mul(tf.pow(a, b), safeLog(a))),
  ]),
  binary('Maximum', (dy, a, b) => [
    () => tf.mul(dy, share(tf.greater(a, b), a, b)),
    () => tf.mul(dy, share(tf.less(a, b), a, b)),
  ]),
  binary('Minimum', (dy, a, b) => [
    () => tf.mul(dy, share(tf.less(a, b), a, b)),
    () => tf.mul(dy, share(tf.greater(a, b), a, b)),
  ]),
  binary('Atan2', (dy, a, b) => {
    const squares = () => tf.add(tf.mul(a, a), tf.mul(b, b))
    return [() => tf.div(tf.mul(dy, b), squares()), () => tf.neg(tf.div(tf.mul(dy, a), squares()))]
  }),
]

/** tf.where stretches its arguments before the kernel runs, so all of them have the result's shape. */
const select: tf.GradConfig = {
  kernelName: 'Select',
  inputsToSave: ['condition', 't', 'e'],
  gradFunc: (dy, [condition, t, e]) => ({
    condition: () => tf.zeros(condition!.shape),
    t: () => sumTo(tf.where(condition!, one(dy), 0), t!.shape),
    e: () => sumTo(tf.where(condition!, 0, one(dy)), e!.shape),
  }),
}

const addN: tf.GradConfig = {
  kernelName: 'AddN',
  saveAllInputs: true,
  gradFunc: (dy, saved) => Object.fromEntries(saved.map((_, i) => [String(i), () => tf.clone(one(dy))])),
}

/** Flat or discrete: a gradient of zeros, so that a condition computed from a parameter needs no special care. */
const discrete: readonly tf.GradConfig[] = [
  ...[
    'Sign',
    'Floor',
    'Ceil',
    'Round',
    'Step',
    'LogicalNot',
    'IsNan',
    'IsInf',
    'IsFinite',
    'ZerosLike',
    'OnesLike',
  ].map(name => flat(name, 'x')),
  ...[
    'Equal',
    'NotEqual',
    'Less',
    'LessEqual',
    'Greater',
    'GreaterEqual',
    'LogicalAnd',
    'LogicalOr',
    'FloorDiv',
  ].map(name => flat(name, 'a', 'b')),
  ...['ArgMax', 'ArgMin', 'Any', 'All'].map(name => flat(name, 'x')),
  flat('OneHot', 'indices'),
]

/** Gradients of kernels that act on each element. */
export const elementwise: readonly tf.GradConfig[] = [...functions, ...arithmetic, select, addN, ...discrete]
