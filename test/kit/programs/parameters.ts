import type { Chance } from './chance.ts'
import type { Rule } from './rule.ts'
import { fixed, isBatch, type Size, typeText } from './values.ts'

const anywhere = ['positive', 'lower(-0.5)', 'upper(2)', 'interval(-1, 1)', 'offset_scale(0.1, 2)']
const rows = [
  'ordered',
  'positive_ordered',
  'simplex',
  'simplex.ilr',
  'sum_to_zero',
  'unit_vector',
  'l1_ball(2)',
  'l2_ball(1.5)',
]
const matrices = ['row_stochastic', 'column_stochastic', 'weight_norm', 'spectral_norm']
const squares = [
  'symmetric',
  'skew_symmetric',
  'lower_triangular',
  'orthogonal',
  'corr_matrix',
  'cov_matrix',
  'cholesky_corr',
  'cholesky_cov',
]
const projections = ['max_norm(0.8)', 'non_negative', 'unit_norm', 'min_max_norm(0.1, 0.9)']
const starts = ['normal(0, 0.5)', 'uniform(-1, 1)', 'ones()', 'kaiming_uniform(fan: 4)']

/** What stands behind the type of a parameter: where it lives, and where it starts. */
export function livingAndStart(dims: readonly Size[], chance: Chance): string {
  const start = ` = ${chance.pick(starts)}`
  const last = dims.at(-1)?.size ?? 0
  if (chance.maybe(0.6)) return start
  if (last >= 2 && chance.maybe(0.25)) return ` = normal(0, 0.5) project ${chance.pick(projections)}`
  const isSquare = dims.length === 2 && last >= 2 && dims[0]!.text === dims[1]!.text
  if (isSquare && chance.maybe(0.7)) return ` in ${chance.pick(squares)}${rawStart(chance)}`
  if (dims.length === 2 && last >= 2 && dims[0]!.size! >= 2 && chance.maybe(0.5))
    return ` in ${chance.pick(matrices)} = raw normal(0, 0.7)`
  if (last >= 2 && chance.maybe(0.6)) return ` in ${chance.pick(rows)}${rawStart(chance)}`
  const domain = chance.pick(anywhere)
  return ` in ${domain}${chance.pick(['', ' = 0.7', ' = raw uniform(-1, 1)'])}`
}

const rawStart = (chance: Chance): string => (chance.maybe(0.3) ? '' : ' = raw normal(0, 0.4)')

/** A parameter whose sizes are those of a value, so that it meets it. */
export const parameterRule: Rule = ({ scope, chance }) => {
  if (scope.members === undefined) return
  const x = scope.float(({ dims }) => dims.length >= 1)
  const own = (x?.dims ?? []).filter(size => !isBatch(size))
  const dims = [own.slice(-1), own, [...own.slice(-1), ...own.slice(-1)], [fixed(3), ...own.slice(-1)], []]
  const chosen = chance.pick(dims)
  const name = scope.program.fresh('p')
  scope.members.lines.push(
    `param ${name}: ${typeText({ dtype: 'f32', dims: chosen })}${livingAndStart(chosen, chance)}`,
  )
  scope.add({ text: name, dtype: 'f32', dims: chosen })
}

/** A product with a matrix of the module's own. */
export const projectionRule: Rule = ({ scope, chance }) => {
  if (scope.members === undefined) return
  const x = scope.float(({ dims }) => dims.length >= 2 && dims.length <= 4 && !isBatch(dims.at(-1)!))
  if (x === undefined) return
  const inputs = x.dims.at(-1)!
  const outputs = chance.maybe(0.3) ? inputs : fixed(chance.between(2, 4))
  const name = scope.program.fresh('p')
  const isTurned = chance.maybe()
  const dims = isTurned ? [outputs, inputs] : [inputs, outputs]
  scope.members.lines.push(
    `param ${name}: ${typeText({ dtype: 'f32', dims })}${livingAndStart(dims, chance)}`,
  )
  scope.bind(`0.5 * ${scope.use(x)} @ ${name}${isTurned ? '.T' : ''}`, [...x.dims.slice(0, -1), outputs])
}

/** A running mean of the batch, which is state and no parameter. */
export const bufferRule: Rule = ({ scope, chance }) => {
  if (scope.members === undefined || scope.isBlock) return
  const x = scope.float(({ dims }) => dims.length >= 2 && isBatch(dims[0]!))
  if (x === undefined) return
  const name = scope.program.fresh('b')
  const dims = x.dims.slice(1)
  scope.members.stateful = true
  scope.members.lines.push(
    `buffer ${name}: ${typeText({ dtype: 'f32', dims })} = ${chance.pick(['zeros()', 'ones()'])}`,
  )
  const text = scope.use(x)
  scope.lines.push(`if training { set ${name} = 0.9 * ${name} + 0.1 * mean(${text}, axis: 0) }`)
  scope.bind(`${text} - 0.5 * ${name}`, x.dims)
}

/** A constant of the module that is computed anew. */
export const memberLetRule: Rule = ({ scope, chance }) => {
  if (scope.members === undefined) return
  const x = scope.float(({ dims }) => dims.length >= 2 && !isBatch(dims.at(-1)!))
  if (x === undefined) return
  const name = scope.program.fresh('c')
  const size = x.dims.at(-1)!
  scope.members.lines.push(`let ${name} = f32(arange(${size.text})) / ${chance.pick(['7', '4'])} - 0.3`)
  scope.bind(`${scope.use(x)} * (1 + ${name})`, x.dims)
}
