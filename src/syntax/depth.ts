import { diagnose, type Report } from '../diagnostics/diagnostic.ts'
import type { Node } from './ast.ts'
import { children } from './walk.ts'

/** How many nodes may lie in one another. Nesting and long rows are each bounded before; this bounds their product. */
const depthLimit = 400

/** Whether later phases may recurse over a tree; reports one that is too deep. It walks level by level, without recursion. */
export function withinDepth(node: Node, report: Report): boolean {
  let level: readonly Node[] = [node]
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > depthLimit) {
      report(diagnose('LTM1004', node.span, { limit: depthLimit }))
      return false
    }
    level = level.flatMap(children)
  }
  return true
}
