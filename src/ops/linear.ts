import { ts } from '../base/code.ts'
import { product } from '../types/dim.ts'
import { one } from './onnx.ts'
import type { Op } from './op.ts'

export const matmul: Op = {
  doc: 'Matrix product over the last two axes, written `a @ b`; leading axes are a batch and must agree.',
  signature: '(a: F[...b, n, k], b: F[...b, k, m]) -> F[...b, n, m]',
  call: false,
  tfjs: ([a, b]) => ts`tf.matMul(${a!}, ${b!})`,
  onnx: one('MatMul'),
  grad: (dy, { inputs: [a, b] }, make) => [
    make.matmul([dy, make.transpose([b!])]), // dA = dY · Bᵀ
    make.matmul([make.transpose([a!]), dy]), // dB = Aᵀ · dY
  ],
  multiplyAdds: ([a], output) => product([...a!.shape, output.shape.at(-1)!]),
  lift: attrs => attrs,
  samples: [
    {
      shapes: [
        [2, 3],
        [3, 4],
      ],
      attrs: {},
    },
    {
      shapes: [
        [3, 2, 3],
        [3, 3, 2],
      ],
      attrs: {},
    },
    {
      shapes: [
        [2, 2, 1, 3],
        [2, 2, 3, 2],
      ],
      attrs: {},
    },
  ],
}
