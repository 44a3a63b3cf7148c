import { type Code, ts } from '../base/code.ts'
import type { DType } from '../types/tensor.ts'
import type { Make } from './builder.ts'
import { castTo, either, justOne, type OnnxContext, type OnnxValue, one, scalar } from './onnx.ts'
import type { Op, Operand, Sample } from './op.ts'
import { dtypeText } from './text.ts'
import { indicator, number, unbroadcast } from './unbroadcast.ts'

/** Both gradients of an operator of two arguments, each summed back to its argument's shape. */
function pair(
  gradient: (dy: Operand, a: Operand, b: Operand, make: Make, y: Operand) => readonly [Operand, Operand],
): Op['grad'] {
  return (dy, { inputs: [a, b], outputs: [y] }, make) => {
    const [da, db] = gradient(dy, a!, b!, make, y!)
    return [unbroadcast(da, a!.type, make), unbroadcast(db, b!.type, make)]
  }
}

type Interval = { readonly low: number; readonly high: number }

/** Equal shapes, absent leading axes, stretched ones on both sides, a scalar. */
function broadcasts(inputs?: readonly Interval[]): Sample[] {
  const shapes = [
    [
      [2, 3],
      [2, 3],
    ],
    [[2, 3], [3]],
    [
      [2, 1],
      [4, 1, 3],
    ],
    [[], [2, 2]],
  ]
  return shapes.map(pairOfShapes => ({ shapes: pairOfShapes, attrs: {}, ...(inputs && { inputs }) }))
}

const integers: Sample = {
  shapes: [[4], [4]],
  attrs: {},
  dtypes: ['i32', 'i32'],
  inputs: [{ values: [-7, -2, 3, 8] }, { values: [2, -3, -2, 5] }],
}

export const add: Op = {
  doc: 'Sum, written `a + b`.',
  signature: '(a: N[~s], b: N[~s]) -> N[~s]',
  call: false,
  tfjs: ([a, b]) => ts`tf.add(${a!}, ${b!})`,
  onnx: one('Add'),
  grad: pair(dy => [dy, dy]),
  lift: 'elementwise',
  samples: [...broadcasts(), integers],
}

export const sub: Op = {
  doc: 'Difference, written `a - b`.',
  signature: '(a: N[~s], b: N[~s]) -> N[~s]',
  call: false,
  tfjs: ([a, b]) => ts`tf.sub(${a!}, ${b!})`,
  onnx: one('Sub'),
  grad: pair((dy, _a, _b, make) => [dy, make.neg([dy])]),
  lift: 'elementwise',
  samples: [...broadcasts(), integers],
}

export const mul: Op = {
  doc: 'Product element by element, written `a * b`.',
  signature: '(a: N[~s], b: N[~s]) -> N[~s]',
  call: false,
  tfjs: ([a, b]) => ts`tf.mul(${a!}, ${b!})`,
  onnx: one('Mul'),
  grad: pair((dy, a, b, make) => [make.mul([dy, b]), make.mul([dy, a])]),
  lift: 'elementwise',
  samples: [...broadcasts(), integers],
}

export const div: Op = {
  doc: 'Quotient of floats, written `a / b`.',
  signature: '(a: F[~s], b: F[~s]) -> F[~s]',
  call: false,
  tfjs: ([a, b]) => ts`tf.div(${a!}, ${b!})`,
  onnx: one('Div'),
  grad: pair((dy, _, b, make, y) => {
    const da = make.div([dy, b])
    return [da, make.neg([make.mul([da, y])])] // d(a/b)/db = -(a/b)/b
  }),
  lift: 'elementwise',
  samples: broadcasts([
    { low: -2, high: 2 },
    { low: 0.5, high: 2 },
  ]),
}

/**
 * ⌊a / b⌋. ONNX divides towards zero, which is one too high where a remainder is left and the signs differ. What is divided by 0 is 0, as
 * with tfjs; a processor would trap.
 */
function floorDivide(a: OnnxValue, b: OnnxValue, context: OnnxContext): OnnxValue {
  const { graph } = context
  const zero = scalar(context, 0, 'i32')
  const byZero = graph.node('Equal', [b, zero])
  const safe = graph.node('Where', [byZero, scalar(context, 1, 'i32'), b])
  const quotient = graph.node('Div', [a, safe])
  const rest = graph.node('Sub', [a, graph.node('Mul', [quotient, safe])])
  const differ = justOne(context, graph.node('Less', [a, zero]), graph.node('Less', [safe, zero]))
  const left = graph.node('Not', [graph.node('Equal', [rest, zero])])
  const high = castTo(context, graph.node('And', [left, differ]), 'i32')
  return graph.node('Where', [byZero, zero, graph.node('Sub', [quotient, high])])
}

/** a - b·⌊a / b⌋, and 0 for b = 0, as with tfjs. */
function integerRemainder(a: OnnxValue, b: OnnxValue, context: OnnxContext): OnnxValue {
  const { graph } = context
  const zero = scalar(context, 0, 'i32')
  const whole = graph.node('Mul', [floorDivide(a, b, context), b])
  return graph.node('Where', [graph.node('Equal', [b, zero]), zero, graph.node('Sub', [a, whole])])
}

/** The remainder towards zero, with b added where the signs differ, as tfjs computes it. */
function remainder(a: OnnxValue, b: OnnxValue, context: OnnxContext): OnnxValue {
  const { graph } = context
  // WebGPU leaves Mod to the processor.
  if (context.provider === 'webgpu')
    return graph.node('Sub', [a, graph.node('Mul', [b, graph.node('Floor', [graph.node('Div', [a, b])])])])
  const zero = scalar(context, 0)
  const rest = graph.node('Mod', [a, b], { fmod: 1 })
  const differ = justOne(context, graph.node('Less', [a, zero]), graph.node('Less', [b, zero]))
  const moved = graph.node('Mod', [graph.node('Add', [rest, b]), b], { fmod: 1 })
  return graph.node('Where', [differ, moved, rest])
}

export const floordiv: Op = {
  doc: 'Quotient of integers rounded down, written `a div b`.',
  signature: '(a: I[~s], b: I[~s]) -> I[~s]',
  call: false,
  tfjs: ([a, b]) => ts`tf.floorDiv(${a!}, ${b!})`,
  onnx: ([a, b], _, context) => floorDivide(a!, b!, context),
  grad: 'none',
  lift: 'elementwise',
  samples: [
    integers,
    { ...integers, shapes: [[2, 2], [1]], inputs: [{ values: [-7, -2, 3, 8] }, { values: [3] }] },
  ],
}

export const mod: Op = {
  doc: 'Remainder of the division rounded down, written `a % b`; it has the sign of b.',
  signature: '(a: N[~s], b: N[~s]) -> N[~s]',
  call: false,
  tfjs: ([a, b]) => ts`tf.mod(${a!}, ${b!})`,
  onnx: ([a, b], _, context) =>
    context.outputs[0]!.dtype === 'i32' ? integerRemainder(a!, b!, context) : remainder(a!, b!, context),
  // a mod b = a - b·⌊a/b⌋, and the floor is locally constant.
  grad: pair((dy, a, b, make) => [dy, make.neg([make.mul([dy, make.floor([make.div([a, b])])])])]),
  lift: 'elementwise',
  samples: [
    {
      shapes: [[4], [4]],
      attrs: {},
      inputs: [{ values: [-3.2, 1.3, 2.7, -0.4] }, { values: [1.5, -0.8, 2, 0.7] }],
    },
    { shapes: [[2, 2], []], attrs: {}, inputs: [{ values: [-3.2, 1.3, 2.7, -0.4] }, { values: [1.5] }] },
    integers,
  ],
}

/** log(a) where a > 0 and 0 elsewhere, without an infinity on the way that would spoil the gradient. */
function safeLog(a: Operand, make: Make): Operand {
  return make.log([make.where([make.gt([a, number(make, 0)]), a, number(make, 1)])])
}

/** b·a^(b-1), and 0 for b = 0, where the formula is 0·∞ at a = 0. */
function powerRule(a: Operand, b: Operand, make: Make): Operand {
  const zero = number(make, 0)
  const rule = make.mul([b, make.pow([a, make.sub([b, number(make, 1)])])])
  return make.where([make.eq([b, zero]), zero, rule])
}

export const pow: Op = {
  doc: 'Power, written `a ^ b`.',
  signature: '(a: F[~s], b: F[~s]) -> F[~s]',
  call: false,
  tfjs: ([a, b]) => ts`tf.pow(${a!}, ${b!})`,
  onnx: one('Pow'),
  grad: pair((dy, a, b, make, y) => [
    make.mul([dy, powerRule(a, b, make)]),
    make.mul([dy, make.mul([y, safeLog(a, make)])]),
  ]),
  lift: 'elementwise',
  samples: [
    ...broadcasts([
      { low: 0.5, high: 2 },
      { low: -2, high: 3 },
    ]),
    {
      shapes: [[3], []],
      attrs: {},
      inputs: [{ values: [-1.5, 0, 2] }, { values: [2] }],
      gradient: [[-3, 0, 4], [4 * Math.log(2)]],
    },
    { shapes: [[1], [1]], attrs: {}, inputs: [{ values: [0] }, { values: [0] }], gradient: [[0], [0]] },
  ],
}

/** The share of the gradient that goes to the side chosen by `wins`: all, or half of it at a tie. */
function share(wins: Operand, tie: Operand, make: Make): Operand {
  return make.add([indicator(make, wins), make.mul([number(make, 0.5), indicator(make, tie)])])
}

const ties: Sample = {
  shapes: [[3], [3]],
  attrs: {},
  inputs: [{ values: [1, 2, 3] }, { values: [1, 1, 4] }],
}

export const maximum: Op = {
  doc: 'The larger of two values; at a tie each gets half the gradient.',
  signature: '(a: N[~s], b: N[~s]) -> N[~s]',
  call: 'max',
  tfjs: ([a, b]) => ts`tf.maximum(${a!}, ${b!})`,
  onnx: one('Max'),
  grad: pair((dy, a, b, make) => {
    const tie = make.eq([a, b])
    return [
      make.mul([dy, share(make.gt([a, b]), tie, make)]),
      make.mul([dy, share(make.lt([a, b]), tie, make)]),
    ]
  }),
  lift: 'elementwise',
  samples: [
    ...broadcasts([
      { low: -2, high: 0 },
      { low: -0.5, high: 2 },
    ]),
    {
      ...ties,
      gradient: [
        [0.5, 1, 0],
        [0.5, 0, 1],
      ],
    },
    integers,
  ],
}

export const minimum: Op = {
  doc: 'The smaller of two values; at a tie each gets half the gradient.',
  signature: '(a: N[~s], b: N[~s]) -> N[~s]',
  call: 'min',
  tfjs: ([a, b]) => ts`tf.minimum(${a!}, ${b!})`,
  onnx: one('Min'),
  grad: pair((dy, a, b, make) => {
    const tie = make.eq([a, b])
    return [
      make.mul([dy, share(make.lt([a, b]), tie, make)]),
      make.mul([dy, share(make.gt([a, b]), tie, make)]),
    ]
  }),
  lift: 'elementwise',
  samples: [
    ...broadcasts([
      { low: -2, high: 0 },
      { low: -0.5, high: 2 },
    ]),
    {
      ...ties,
      gradient: [
        [0.5, 0, 1],
        [0.5, 1, 0],
      ],
    },
    integers,
  ],
}

/** Whether a number has a minus sign, be it a zero; not for NaN. */
function hasMinus(x: OnnxValue, context: OnnxContext): OnnxValue {
  const { graph } = context
  const near = graph.node('Clip', [x, scalar(context, -1), scalar(context, 1)])
  return graph.node('Less', [graph.node('Reciprocal', [near]), scalar(context, 0)])
}

/** A number without its infinities, whose quotient says nothing. */
function bounded(x: OnnxValue, context: OnnxContext): OnnxValue {
  const largest = 2 ** 127
  return context.graph.node('Clip', [x, scalar(context, -largest), scalar(context, largest)])
}

/** The arc tangent of y / x, turned by half a circle where x is negative. */
function angle(y: OnnxValue, x: OnnxValue, context: OnnxContext): OnnxValue {
  const { graph } = context
  const zero = scalar(context, 0)
  const onAxis = graph.node('Equal', [x, zero])
  const half = graph.node('Where', [
    hasMinus(y, context),
    scalar(context, -Math.PI),
    scalar(context, Math.PI),
  ])
  // A zero in the denominator has no sign here: on the axis the numerator alone says which way is up.
  const slope = graph.node('Div', [
    bounded(y, context),
    graph.node('Where', [onAxis, zero, bounded(x, context)]),
  ])
  const turn = graph.node('Where', [graph.node('Less', [x, zero]), half, zero])
  const turned = graph.node('Add', [graph.node('Atan', [slope]), turn])
  const atOrigin = graph.node('And', [onAxis, graph.node('Equal', [y, zero])])
  return graph.node('Where', [atOrigin, graph.node('Where', [hasMinus(x, context), half, zero]), turned])
}

export const atan2: Op = {
  doc: 'The angle of the point (x, y), from -π to π.',
  signature: '(y: F[~s], x: F[~s]) -> F[~s]',
  tfjs: ([y, x]) => ts`tf.atan2(${y!}, ${x!})`,
  onnx: ([y, x], _, context) => angle(y!, x!, context),
  grad: pair((dy, y, x, make) => {
    const scaled = make.div([dy, make.add([make.mul([x, x]), make.mul([y, y])])])
    return [make.mul([scaled, x]), make.neg([make.mul([scaled, y])])]
  }),
  lift: 'elementwise',
  samples: broadcasts([
    { low: -2, high: 2 },
    { low: 0.5, high: 2 },
  ]),
}

/** The wasm kernel misreads booleans (4.22.0), so a choice between them is spelled out. */
function chooseBool(condition: Code, a: Code, b: Code): Code {
  return ts`tf.logicalOr(tf.logicalAnd(${condition}, ${a}), tf.logicalAnd(tf.logicalNot(${condition}), ${b}))`
}

/** The kernel of the processor knows no booleans. */
function eitherBool(condition: OnnxValue, a: OnnxValue, b: OnnxValue, context: OnnxContext): OnnxValue {
  const { graph } = context
  const otherwise = graph.node('And', [graph.node('Not', [condition]), b])
  return either(context, graph.node('And', [condition, a]), otherwise)
}

export const where: Op = {
  doc: '`a` where the condition holds, else `b`.',
  signature: '(condition: B[~s], a: T[~s], b: T[~s]) -> T[~s]',
  tfjs: ([condition, a, b], _, { inputs }) =>
    inputs[1]?.dtype === 'bool' ? chooseBool(condition!, a!, b!) : ts`tf.where(${condition!}, ${a!}, ${b!})`,
  onnx: ([condition, a, b], _, context) =>
    context.outputs[0]!.dtype === 'bool'
      ? eitherBool(condition!, a!, b!, context)
      : context.graph.node('Where', [condition, a, b]),
  grad: (dy, { inputs: [condition, a, b] }, make) => {
    const zero = number(make, 0)
    return [
      undefined,
      unbroadcast(make.where([condition!, dy, zero]), a!.type, make),
      unbroadcast(make.where([condition!, zero, dy]), b!.type, make),
    ]
  },
  lift: 'elementwise',
  samples: [
    {
      shapes: [
        [2, 3],
        [2, 3],
        [2, 3],
      ],
      attrs: {},
      dtypes: ['bool', 'f32', 'f32'],
    },
    { shapes: [[2, 1], [], [1, 3]], attrs: {}, dtypes: ['bool', 'f32', 'f32'] },
    { shapes: [[4], [2, 4], [1]], attrs: {}, dtypes: ['bool', 'i32', 'i32'] },
    { shapes: [[2], [2, 2], []], attrs: {}, dtypes: ['bool', 'bool', 'bool'] },
  ],
}

/** The wasm kernel copies a float's bytes into a boolean (4.22.0), hence the comparison. */
function castText(x: Code, from: DType | undefined, to: DType): Code {
  if (to === 'bool' && from !== 'bool') return ts`tf.notEqual(${x}, 0)`
  return ts`tf.cast(${x}, ${dtypeText(to)})`
}

export const cast: Op<{ dtype: DType }> = {
  doc: 'The same values in another dtype: to an integer towards zero, to bool whether it differs from 0.',
  signature: '(x: T[...s]) -> U[...s]',
  attrs: { dtype: { kind: 'dtype' } },
  call: false,
  infer: ([x], { dtype }) => ({ dtype, shape: x!.shape }),
  tfjs: ([x], { dtype }, { inputs }) => castText(x!, inputs[0]?.dtype, dtype),
  onnx: ([x], { dtype }, context) => (context.inputs[0]!.dtype === dtype ? x! : castTo(context, x!, dtype)),
  grad: (dy, { inputs: [x], attrs }) => [attrs.dtype === 'f32' && x!.type.dtype === 'f32' ? dy : undefined],
  lift: 'elementwise',
  samples: [
    { shapes: [[4]], attrs: { dtype: 'i32' }, inputs: [{ values: [-1.7, 0.3, 2.6, 3.2] }] },
    {
      shapes: [[4]],
      attrs: { dtype: 'bool' },
      inputs: [{ values: [-1, 0, 0.5, 3] }],
      gradient: [[0, 0, 0, 0]],
    },
    { shapes: [[2, 2]], attrs: { dtype: 'f32' } },
    { shapes: [[2, 2]], attrs: { dtype: 'f32' }, dtypes: ['bool'] },
    { shapes: [[3]], attrs: { dtype: 'f32' }, dtypes: ['i32'] },
    { shapes: [[3]], attrs: { dtype: 'bool' }, dtypes: ['i32'] },
  ],
}
