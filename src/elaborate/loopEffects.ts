import type { Block, Break, Expr, Node, Return, Yield } from '../syntax/ast.ts'
import { children } from '../syntax/walk.ts'

/** What the body of a loop does to what is outside of it. */
export interface LoopEffects {
  /** Names that it sets and doesn't declare itself, in the order in which it first does. */
  readonly sets: readonly string[]
  /** Statements that would leave a round. */
  readonly leaves: readonly (Return | Break)[]
}

export function loopEffects(body: Block): LoopEffects {
  const sets = new Set<string>()
  const leaves: (Return | Break)[] = []
  const walk = (node: Node, own: Set<string>): void => {
    switch (node.kind) {
      case 'Return':
      case 'Break':
        leaves.push(node)
        break
      case 'Block': {
        const within = new Set(own)
        for (const statement of node.statements) walk(statement, within)
        return
      }
      case 'For':
        walk(node.iterable, own)
        walk(node.body, new Set([...own, ...node.names.map(name => name.text)]))
        return
      case 'SetStatement':
        for (const name of targets(node.target)) if (!own.has(name)) sets.add(name)
        break
      default:
        break
    }
    for (const child of children(node)) walk(child, own)
    if (node.kind === 'Let') for (const name of node.names) own.add(name.text)
    if (node.kind === 'Var') own.add(node.name.text)
  }
  walk(body, new Set())
  return { sets: [...sets], leaves }
}

/** The names that a `set` gives new values: `x` in `set x[0] = v`. */
function targets(
  target: Expr | readonly { readonly kind: 'Name'; readonly text: string }[],
): readonly string[] {
  if (!('kind' in target)) return target.map(name => name.text)
  if (target.kind === 'Name') return [target.text]
  return target.kind === 'Index' || target.kind === 'Member' ? targets(target.object) : []
}

/** The `yield` that comes after another one in every round, whatever the conditions of the body turn out to be. */
export function secondYield(body: Block): Yield | undefined {
  let before = false
  for (const statement of body.statements) {
    if (statement.kind === 'Yield' && before) return statement
    before ||= alwaysYields(statement)
  }
  return undefined
}

function alwaysYields(node: Node): boolean {
  if (node.kind === 'Block') return node.statements.some(alwaysYields)
  if (node.kind === 'If')
    return alwaysYields(node.then) && node.otherwise !== undefined && alwaysYields(node.otherwise)
  return node.kind === 'Yield'
}
