import type { HostStatement, Program, Step } from '../ir/ir.ts'
import type { Pass } from './pass.ts'
import { outputNames, readsOfStatement, readsOfStep } from './values.ts'

/**
 * Drops the steps whose results nobody reads, and exports that nobody reads. Walking backwards, a dead reader is gone
 * before its inputs are judged.
 *
 *     %a = exp %x
 *     %b = log %x          →    %a = exp %x
 *     return %a                 return %a
 *
 * All steps are pure, so dropping one changes nothing else. Left alone: statements of the host, even an `if` that has
 * become empty, and results of a step of several of which one is read.
 */
export const removeDeadSteps: Pass = {
  name: 'remove-dead-steps',
  promise: 'Somebody reads a result of every step.',
  run: (program: Program) => ({
    ...program,
    functions: program.functions.map(func => ({
      ...func,
      steps: liveSteps(func.steps, new Set(func.results)),
    })),
    steps: program.steps.map(step => ({ ...step, body: liveStatements(step.body, new Set()) })),
    hooks: program.hooks.map(hook => ({ ...hook, body: liveStatements(hook.body, new Set()) })),
  }),
}

/** The steps that lead to live values; what they read comes alive. */
function liveSteps(steps: readonly Step[], live: Set<string>): readonly Step[] {
  return steps
    .toReversed()
    .filter(step => isLive(step, live))
    .toReversed()
}

function isLive(step: Step, live: Set<string>): boolean {
  if (!outputNames(step).some(name => live.has(name))) return false
  addAll(live, readsOfStep(step))
  return true
}

function liveStatements(statements: readonly HostStatement[], live: Set<string>): readonly HostStatement[] {
  return statements
    .toReversed()
    .flatMap(statement => liveStatement(statement, live))
    .toReversed()
}

function liveStatement(statement: HostStatement, live: Set<string>): readonly HostStatement[] {
  if (statement.kind === 'compute') return isLive(statement.step, live) ? [statement] : []
  const kept = withLiveLists(statement, live)
  addAll(live, readsOfStatement(kept))
  return [kept]
}

/** The statement with only the live steps of the lists within. What a branch defines is not seen behind it. */
function withLiveLists(statement: HostStatement, live: ReadonlySet<string>): HostStatement {
  if (statement.kind === 'if') {
    const { then, otherwise } = statement
    return {
      ...statement,
      then: liveStatements(then, new Set()),
      otherwise: liveStatements(otherwise, new Set()),
    }
  }
  if (statement.kind !== 'minimize') return statement
  const exports = statement.exports.filter(name => live.has(name))
  const wanted = new Set([statement.loss, ...exports])
  if (statement.weight !== undefined) wanted.add(statement.weight)
  return { ...statement, exports, body: liveSteps(statement.body, wanted) }
}

function addAll(set: Set<string>, names: readonly string[]): void {
  for (const name of names) set.add(name)
}
