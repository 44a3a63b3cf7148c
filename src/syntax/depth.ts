import { diagnose, type Report } from '../diagnostics/diagnostic.ts'
import type { Node } from './ast.ts'
import { everyChild } from './walk.ts'

/** How many nodes may lie in one another. Nesting and long rows are each bounded before; this bounds their product. */
const depthLimit = 400

/** Whether later phases may recurse over a tree; reports one that is too deep. */
export function withinDepth(node: Node, report: Report): boolean {
  const fits = isShallow(node, depthLimit)
  if (!fits) report(diagnose('LTM1004', node.span, { limit: depthLimit }))
  return fits
}

/** Recurses no deeper than it allows. */
function isShallow(node: Node, levels: number): boolean {
  return levels >= 0 && everyChild(node, child => isShallow(child, levels - 1))
}
