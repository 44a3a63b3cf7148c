import { type Code, ts } from '../base/code.ts'
import type { Dim } from '../types/dim.ts'
import type { AttrSpec, Op, TfjsContext } from './op.ts'
import { shapeText, stringText } from './text.ts'

// No gradient flows through a draw: the key and the attributes are its only inputs. `mean + std * normal(…)` has one.

const shape: AttrSpec = { kind: 'dims' }
type Shaped = { shape: readonly Dim[] }

/** `random.normal(key, [batch, 2], 1, 0.5)`; the runtime assumes 0 and 1 where both are left out. */
function drawText(
  name: string,
  key: Code,
  shape: readonly Dim[],
  numbers: readonly number[],
  context: TfjsContext,
): Code {
  const assumed = numbers.join() === '0,1'
  const rest = assumed ? '' : numbers.reduce<Code>((text, value) => ts`${text}, ${value}`, '')
  return ts`random.${name}(${key}, ${shapeText(shape, context)}${rest})`
}

export const key_at: Op<{ place: string }> = {
  doc: 'The key of a place below another one: a module, a call, a loop index.',
  signature: '(key: key) -> key',
  attrs: { place: { kind: 'place' } },
  call: false,
  tfjs: ([key], { place }) => ts`${key!}.at(${stringText(place)})`,
  onnx: 'drawn',
  grad: 'none',
  samples: [
    { shapes: [[]], attrs: { place: 'drop' } },
    { shapes: [[]], attrs: { place: "a'b" } },
  ],
}

export const random_normal: Op<Shaped & { mean: number; std: number }> = {
  doc: 'Draws from a normal distribution.',
  signature: '(key: key) -> f32[...shape]',
  attrs: { shape, mean: { kind: 'float', default: 0 }, std: { kind: 'float', default: 1 } },
  call: false,
  tfjs: ([key], attrs, context) => drawText('normal', key!, attrs.shape, [attrs.mean, attrs.std], context),
  onnx: 'drawn',
  grad: 'none',
  samples: [
    { shapes: [[]], attrs: { shape: [2, 3], mean: 0, std: 1 } },
    { shapes: [[]], attrs: { shape: [], mean: 1, std: 0.5 } },
  ],
}

export const random_uniform: Op<Shaped & { low: number; high: number }> = {
  doc: 'Draws from [low, high).',
  signature: '(key: key) -> f32[...shape]',
  attrs: { shape, low: { kind: 'float', default: 0 }, high: { kind: 'float', default: 1 } },
  call: false,
  tfjs: ([key], attrs, context) => drawText('uniform', key!, attrs.shape, [attrs.low, attrs.high], context),
  onnx: 'drawn',
  grad: 'none',
  samples: [
    { shapes: [[]], attrs: { shape: [2, 3], low: -1, high: 1 } },
    { shapes: [[]], attrs: { shape: [5], low: 0, high: 1 } },
  ],
}

export const random_bernoulli: Op<Shaped & { p: number }> = {
  doc: 'True with probability p.',
  signature: '(key: key) -> bool[...shape]',
  attrs: { shape, p: { kind: 'float', default: 0.5 } },
  call: false,
  tfjs: ([key], { shape, p }, context) => drawText('bernoulli', key!, shape, [p], context),
  onnx: 'drawn',
  grad: 'none',
  samples: [
    { shapes: [[]], attrs: { shape: [2, 3], p: 0.5 } },
    { shapes: [[]], attrs: { shape: [4], p: 0.9 } },
  ],
}

export const random_permutation: Op<{ count: Dim }> = {
  doc: 'The numbers from 0 up to but not including `count` in random order.',
  signature: '(key: key) -> i32[count]',
  attrs: { count: { kind: 'dims' } },
  call: false,
  tfjs: ([key], { count }, { dim }) => ts`tf.tensor1d(random.permutation(${key!}, ${dim(count)}), 'int32')`,
  onnx: 'drawn',
  grad: 'none',
  samples: [
    { shapes: [[]], attrs: { count: 5 } },
    { shapes: [[]], attrs: { count: 1 } },
  ],
}
