import type { HostExpr, HostStatement } from './ir.ts'

/** The lists of statements within a statement. */
export function blocksOf(statement: HostStatement): readonly (readonly HostStatement[])[] {
  if (statement.kind === 'if') return [statement.then, statement.otherwise]
  return statement.kind === 'for' ? [statement.body] : []
}

/** The statements within a statement, of all its lists. */
export function within(statement: HostStatement): readonly HostStatement[] {
  return blocksOf(statement).flat()
}

/** The statement with other lists within. */
export function mapBlocks(
  statement: HostStatement,
  change: (block: readonly HostStatement[]) => readonly HostStatement[],
): HostStatement {
  if (statement.kind === 'if')
    return { ...statement, then: change(statement.then), otherwise: change(statement.otherwise) }
  return statement.kind === 'for' ? { ...statement, body: change(statement.body) } : statement
}

/** The host expressions between which a loop counts. */
export function boundsOf({
  from,
  to,
}: Extract<HostStatement, { readonly kind: 'for' }>): readonly HostExpr[] {
  return to === undefined ? [from] : [from, to]
}
