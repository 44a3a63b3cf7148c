import { ts } from '../base/code.ts'
import { either, type OnnxContext, type OnnxValue, one } from './onnx.ts'
import type { Op, Sample } from './op.ts'

const numbers: Sample = {
  shapes: [[4], [4]],
  attrs: {},
  inputs: [{ values: [-1, 0.5, 2, 3] }, { values: [1, 0, 2, 3.5] }],
  gradient: [
    [0, 0, 0, 0],
    [0, 0, 0, 0],
  ],
}
const stretched: Sample = {
  shapes: [
    [2, 1],
    [1, 3],
  ],
  attrs: {},
}
const integers: Sample = {
  shapes: [[2, 2], []],
  attrs: {},
  dtypes: ['i32', 'i32'],
  inputs: [{ values: [-1, 2, 3, 2] }, { values: [2] }],
}

function comparison(doc: string, name: string, dtype: 'T' | 'N', onnx: Op['onnx']): Op {
  return {
    doc,
    signature: `(a: ${dtype}[~s], b: ${dtype}[~s]) -> bool[~s]`,
    call: false,
    tfjs: ([a, b]) => ts`tf.${name}(${a!}, ${b!})`,
    onnx,
    grad: 'none',
    lift: 'elementwise',
    samples: [numbers, stretched, integers],
  }
}

function differ(inputs: readonly OnnxValue[], _: unknown, { graph }: OnnxContext): OnnxValue {
  return graph.node('Not', [graph.node('Equal', inputs)])
}

export const eq: Op = comparison(
  'Whether two values are equal, written `a == b`.',
  'equal',
  'T',
  one('Equal'),
)
export const ne: Op = comparison('Whether two values differ, written `a != b`.', 'notEqual', 'T', differ)
export const lt: Op = comparison('Whether a is less than b, written `a < b`.', 'less', 'N', one('Less'))
export const le: Op = comparison(
  'Whether a is at most b, written `a <= b`.',
  'lessEqual',
  'N',
  one('LessOrEqual'),
)
export const gt: Op = comparison(
  'Whether a is greater than b, written `a > b`.',
  'greater',
  'N',
  one('Greater'),
)
export const ge: Op = comparison(
  'Whether a is at least b, written `a >= b`.',
  'greaterEqual',
  'N',
  one('GreaterOrEqual'),
)

function connective(doc: string, name: string, onnx: Op['onnx']): Op {
  return {
    doc,
    signature: '(a: B[~s], b: B[~s]) -> B[~s]',
    call: false,
    tfjs: ([a, b]) => ts`tf.${name}(${a!}, ${b!})`,
    onnx,
    grad: 'none',
    lift: 'elementwise',
    samples: [
      {
        shapes: [[4], [4]],
        attrs: {},
        dtypes: ['bool', 'bool'],
        inputs: [{ values: [0, 0, 1, 1] }, { values: [0, 1, 0, 1] }],
      },
      {
        shapes: [
          [2, 1],
          [1, 3],
        ],
        attrs: {},
        dtypes: ['bool', 'bool'],
      },
    ],
  }
}

export const and: Op = connective('Whether both hold, written `a and b`.', 'logicalAnd', one('And'))
export const or: Op = connective(
  'Whether either holds, written `a or b`.',
  'logicalOr',
  ([a, b], _, context) => either(context, a!, b!),
)

export const not: Op = {
  doc: 'Whether it does not hold, written `not a`.',
  signature: '(a: B[...s]) -> B[...s]',
  call: false,
  tfjs: ([a]) => ts`tf.logicalNot(${a!})`,
  onnx: one('Not'),
  grad: 'none',
  lift: 'elementwise',
  samples: [
    { shapes: [[2]], attrs: {}, dtypes: ['bool'], inputs: [{ values: [0, 1] }] },
    { shapes: [[]], attrs: {}, dtypes: ['bool'], inputs: [{ values: [1] }] },
  ],
}
