import type { HostStatement, Step } from '../../ir/ir.ts'
import { movedBy } from '../../ir/optimizers.ts'
import { complain, inside, type Site } from './facts.ts'

/**
 * A constrained parameter is computed once in a step until an optimizer has moved it: no list of statements, nor the body
 * of a `minimize`, reads it twice. What a `minimize` differentiates it has to compute itself, whatever stands before it.
 */
export function verifyReads(site: Site, statements: readonly HostStatement[]): void {
  readIn(site, statements, new Set())
}

/** Gives the parameters that the statements move. */
function readIn(site: Site, statements: readonly HostStatement[], known: Set<string>): readonly string[] {
  const moved: string[] = []
  const forget = (paths: readonly string[]): void => {
    moved.push(...paths)
    for (const path of paths) known.delete(path)
  }
  for (const statement of statements)
    switch (statement.kind) {
      case 'compute':
        readBy(site, statement.step, known)
        break
      case 'minimize':
      case 'differentiate': {
        const own = new Set<string>()
        for (const step of statement.body) readBy(inside(site, 'minimize'), step, own)
        if (statement.kind === 'minimize') forget(parametersOf(site, statement.optimizer))
        break
      }
      case 'move':
        // The next graph computes for itself what it differentiates.
        if (statement.by !== undefined) known.clear()
        forget(parametersOf(site, statement.optimizer))
        break
      case 'if':
        forget([statement.then, statement.otherwise].flatMap(branch => readIn(site, branch, new Set(known))))
        break
      case 'for':
        forget(readIn(site, statement.body, new Set(known)))
        break
    }
  return moved
}

function readBy(site: Site, { op, attrs }: Step, known: Set<string>): void {
  if (op !== 'read') return
  const path = String(attrs.parameter)
  if (site.facts.parameters.get(path)?.constraint === undefined) return
  if (known.has(path))
    complain(site, `${path} is read twice, and so is its constraint, though nothing has moved it`)
  known.add(path)
}

function parametersOf(site: Site, optimizer: string): readonly string[] {
  return movedBy(site.facts.program.optimizers, optimizer)
}
