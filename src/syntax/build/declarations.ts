import type { CstNode } from '../../../grammar/tokens.ts'
import { bug } from '../../base/bug.ts'
import type { Declaration } from '../ast.ts'
import { type Context, choice, documented, maybe, name, names, node, token } from './cst.ts'
import {
  buildConstraint,
  buildDataset,
  buildFn,
  buildMetric,
  buildModule,
  buildOptimizer,
  functionParts,
} from './definitions.ts'
import { buildExpr } from './expressions.ts'
import { buildString } from './literals.ts'
import { buildTrain } from './training.ts'
import { buildType } from './types.ts'

/** A declaration of any kind. */
export function buildDeclaration(outer: CstNode, ctx: Context): Declaration {
  const cst = choice(outer) ?? bug('a declaration without alternatives')
  switch (cst.name) {
    case 'Import':
      return {
        kind: 'Import',
        ...documented(cst, ctx),
        names: names(node(cst, 'BracedNames'), ctx),
        from: buildString(token(cst, 'StringToken'), ctx),
      }
    case 'Const': {
      const type = maybe(cst, 'Type')
      return {
        kind: 'Const',
        ...documented(cst, ctx),
        name: name(cst, ctx),
        type: type && buildType(type, ctx),
        value: buildExpr(node(cst, 'Expr'), ctx),
      }
    }
    case 'Fn':
      return buildFn(cst, ctx)
    case 'Loss':
      return { kind: 'Loss', ...functionParts(cst, ctx) }
    case 'Schedule':
      return { kind: 'Schedule', ...functionParts(cst, ctx) }
    case 'Constraint':
      return buildConstraint(cst, ctx)
    case 'Module':
      return buildModule(cst, ctx)
    case 'Metric':
      return buildMetric(cst, ctx)
    case 'Optimizer':
      return buildOptimizer(cst, ctx)
    case 'Dataset':
      return buildDataset(cst, ctx)
    default:
      return buildTrain(cst, ctx)
  }
}
