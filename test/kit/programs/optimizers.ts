import type { Chance } from './chance.ts'
import type { Declarations } from './declarations.ts'

export interface DeclaredOptimizer {
  readonly name: string
  readonly owns: readonly string[]
  readonly text: string
  /** Whether its rate is a number that hooks may set. */
  readonly isSettable: boolean
}

const nesterov = `optimizer Nesterov(lr: float, beta: float = 0.8) {
  slot v: like param = 0
  update(param, grad, t) {
    set v = beta * v + grad
    return param - lr * (grad + beta * v) / (1 + 0.01 * t)
  }
}`

const smooth = `optimizer Smooth(lr: float, width: float = 0.1) {
  slot m: like param = 0
  slot s: like param = 1
  update(param, grad, t) {
    set m = 0.9 * m + 0.1 * clamp(grad, -1, 1)
    set s = max(0.9 * s, abs(grad))
    let bounded = m / (1 - 0.9 ^ t) / sqrt(s ^ 2 + width)
    return if constrained then param - 0.5 * lr * bounded else param - lr * tanh(bounded)
  }
}`

const linear = 'schedule falling(start: float, total: updates) = start * max(1 - update / total, 0.1)'

/**
 * Epsilons are large: where a gradient is next to nothing, as behind a bias that a norm takes away, an Adam with a small one
 * would make steps out of rounding.
 */
const kinds = [
  'Sgd',
  'Sgd momentum: 0.9',
  'Sgd momentum: 0.5, weight_decay: 0.1',
  'Sgd weight_decay: 0.1, decay_constrained: true',
  'Adam eps: 0.01',
  'Adam eps: 0.01, beta1: 0.8',
  'AdamW eps: 0.01, weight_decay: 0.1',
  'Nesterov',
  'Smooth',
] as const

export function declareOptimizer(
  program: Declarations,
  chance: Chance,
  owns: readonly string[],
): DeclaredOptimizer {
  const [kind = '', ...settings] = chance.pick(kinds).split(' ')
  if (kind === 'Nesterov') program.need(nesterov)
  if (kind === 'Smooth') program.need(smooth)
  const rate = chance.pick(['0.01', '0.03', '0.05'])
  const isSettable = chance.maybe(0.6)
  if (!isSettable) program.need(linear)
  const lr = isSettable
    ? rate
    : chance.pick([
        `cosine(${rate}, total_updates)`,
        `falling(${rate}, 9 updates)`,
        `warmup_cosine(${rate}, 2 updates, 12 updates)`,
        `step_decay(${rate}, 3 updates, factor: 0.5)`,
      ])
  const model = owns.find(each => each !== 'shift')
  const except = [
    ...(chance.maybe(0.15) && model !== undefined ? [`except ${model}.**: { lr: ${rate} * 0.5 }`] : []),
    ...(chance.maybe(0.1) ? ['clip: norm(0.4)'] : []),
    ...(chance.maybe(0.1) ? ['accumulate: 2'] : []),
  ]
  const name = program.fresh('opt')
  const paths = owns.length === 1 ? owns[0]! : `[${owns.join(', ')}]`
  const options = [`lr: ${lr}`, ...(settings.length > 0 ? [settings.join(' ')] : []), ...except]
  return { name, owns, isSettable, text: `optimizer ${name} = ${kind}(${paths}, ${options.join(', ')})` }
}
