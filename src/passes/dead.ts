import { type Draft, produce } from 'immer'
import type { HostStatement, Step } from '../ir/ir.ts'
import type { Pass } from './pass.ts'
import { endsOf, isEffect, outputNames, readsOfStatement, readsOfStep } from './values.ts'

/**
 * Drops the steps whose results nobody reads, and exports that nobody reads. Walking backwards, a dead reader is gone
 * before its inputs are judged.
 *
 *     %a = exp %x
 *     %b = log %x          →    %a = exp %x
 *     return %a                 return %a
 *
 * All steps that give something are pure, so dropping one changes nothing else. Left alone: `debug`, statements of the host, even
 * an `if` that has become empty, and results of a step of several of which one is read.
 */
export const removeDeadSteps: Pass = {
  name: 'remove-dead-steps',
  promise: 'Somebody reads a result of every step.',
  run: program =>
    produce(program, draft => {
      for (const func of draft.functions) func.steps = liveSteps(func.steps, new Set(func.results))
      const closures = draft.optimizers.flatMap(({ closure }) => closure ?? [])
      for (const place of [...draft.steps, ...draft.hooks, ...closures]) removeDead(place.body, new Set())
    }),
}

/** The steps that lead to live values; what they read comes alive. */
export function liveSteps<S extends Step>(steps: readonly S[], live: Set<string>): S[] {
  return steps
    .toReversed()
    .filter(step => isLive(step, live))
    .toReversed()
}

function isLive(step: Step, live: Set<string>): boolean {
  if (!isEffect(step) && !outputNames(step).some(name => live.has(name))) return false
  addAll(live, readsOfStep(step))
  return true
}

type Statement = Draft<HostStatement>

function removeDead(statements: Statement[], live: Set<string>): void {
  for (let i = statements.length - 1; i >= 0; i -= 1) {
    const statement = statements[i]!
    if (statement.kind === 'compute') {
      if (!isLive(statement.step, live)) statements.splice(i, 1)
    } else {
      removeWithin(statement, live)
      addAll(live, readsOfStatement(statement))
    }
  }
}

/** Removes dead steps from the lists within. What a branch defines is not seen behind it. */
function removeWithin(statement: Statement, live: ReadonlySet<string>): void {
  if (statement.kind === 'if') {
    removeDead(statement.then, new Set())
    removeDead(statement.otherwise, new Set())
  }
  if (statement.kind === 'for') removeDead(statement.body, new Set())
  if (statement.kind !== 'minimize' && statement.kind !== 'differentiate') return
  statement.exports = statement.exports.filter(name => live.has(name))
  statement.body = liveSteps(statement.body, new Set([...endsOf(statement.terms), ...statement.exports]))
}

function addAll(set: Set<string>, names: readonly string[]): void {
  for (const name of names) set.add(name)
}
