import { nearest } from '../../base/names.ts'
import { textOf } from '../../base/source.ts'
import type { Freeze, Unfreeze } from '../../syntax/ast.ts'
import { complain, originOf } from '../context.ts'
import { globPattern, rootIsKnown } from './globs.ts'
import type { StepContext } from './stepContext.ts'

/** `freeze net.backbone.**`, `unfreeze …`: the parameters that the path stands for, from the next batch on. */
export function freezeStatement(step: StepContext, node: Freeze | Unfreeze): void {
  const { ctx, training, region } = step
  if (!rootIsKnown(ctx, node.glob)) return
  const pattern = globPattern(ctx, node.glob)
  const parameters = training.parameters.filter(path => pattern.test(path))
  if (parameters.length === 0) {
    const roots = [...new Set(training.parameters.map(path => path.split(/[.[]/)[0]!))]
    const name = textOf(node.glob.span)
    const near = nearest(node.glob.root.text, roots)
    return void complain(ctx, 'LTM4386', node.glob.span, { name, near })
  }
  const frozen = node.kind === 'Freeze'
  const owned = training.optimizers.flatMap(({ groups }) => groups.flatMap(group => group.parameters))
  const lost = parameters.filter(path => !owned.includes(path))
  if (!frozen && lost.length > 0 && training.failedOptimizers.size === 0)
    complain(ctx, 'LTM4387', node.glob.span, { paths: lost })
  const origin = originOf(node.span)
  region.body.push({ kind: 'freeze', parameters, frozen, origin })
  for (const { variable, statements } of training.parts)
    if (statements.has(node.id))
      region.body.push({ kind: 'set', name: variable, value: { kind: 'bool', value: frozen }, origin })
}
