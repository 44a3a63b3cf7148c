import type { Limit, Phase } from '../../ir/ir.ts'
import type { Expr } from '../../syntax/ast.ts'
import { complain } from '../context.ts'
import { expression } from '../evaluate.ts'
import { knownNumber } from '../values.ts'
import type { Training } from './training.ts'

/** `limit_val: 10`, so many batches; `limit_val: 0.1`, a share of them. Training needs one at least. */
export function limitOf({ ctx }: Training, node: Expr, phase: Phase): Limit | undefined {
  const value = expression(ctx, node)
  const least = phase === 'train' ? 1 : 0
  const batches =
    value.kind === 'duration' && value.unit === 'batches'
      ? value.count
      : value.kind === 'int'
        ? knownNumber(value)
        : undefined
  if (batches !== undefined && Number.isInteger(batches) && batches >= least) return { batches }
  const share = value.kind === 'float' ? knownNumber(value) : undefined
  if (share !== undefined && share > 0 && share <= 1) return { share }
  if (value.kind !== 'error')
    complain(ctx, 'LTM4202', node.span, {
      key: `limit_${phase}`,
      wanted: `a number of batches, ${least} or more, or a share of them, as in \`0.1\``,
    })
  return undefined
}
