import { mapBlocks } from '../ir/blocks.ts'
import type { Closure, Func, Hook, HostStatement, Program, Step, TrainingStep, Value } from '../ir/ir.ts'
import { mapClosures } from '../ir/optimizers.ts'
import {
  changesState,
  outputNames,
  type Renaming,
  renameReads,
  renameTerms,
  writesBuffers,
} from './values.ts'

/** What a rewriting of steps in order knows at a place. */
export interface Rewriting {
  /** Values that others stand for now. */
  readonly names: Map<string, string>
}

/** A rewriting of steps in order, from the first to the last, wherever steps stand. */
export interface Rewriter<S extends Rewriting> {
  /** What is known at the start of a function, a step or a hook, which gets these values. */
  start(given: readonly Value[], place: Place): S
  /** The new steps for some that follow each other; adds to what is known. */
  steps(steps: readonly Step[], state: S): readonly Step[]
  /** What is known at the start of a list within; nothing that is learnt there is known behind it. */
  inner(state: S, list: 'branch' | 'region'): S
  /** Parameters, buffers, clocks or `var`s may have changed. */
  stateChanged?(state: S): void
}

/** A function, a step, a hook or the closure of an optimizer. */
export type Place = Func | TrainingStep | Hook | Closure

/** Rewrites all functions, steps, hooks and closures of a program. */
export function rewriteProgram<S extends Rewriting>(program: Program, rewriter: Rewriter<S>): Program {
  return {
    ...program,
    functions: program.functions.map(func => rewriteFunction(func, rewriter)),
    optimizers: mapClosures(program.optimizers, closure =>
      rewriteStatements(closure.body, rewriter.start(closure.inputs, closure), rewriter),
    ),
    steps: program.steps.map(step => ({
      ...step,
      body: rewriteStatements(step.body, rewriter.start(valuesOf(step), step), rewriter),
    })),
    hooks: program.hooks.map(hook => ({
      ...hook,
      body: rewriteStatements(hook.body, rewriter.start([], hook), rewriter),
    })),
  }
}

/** The values that a step gets. */
export function valuesOf({ streams, key }: TrainingStep): readonly Value[] {
  const fields = streams.flatMap(stream => stream.fields.map(field => field.value))
  return key === undefined ? fields : [...fields, { name: key, type: 'key' }]
}

/** Rewrites one function. */
export function rewriteFunction<S extends Rewriting>(func: Func, rewriter: Rewriter<S>): Func {
  const state = rewriter.start(func.params, func)
  const steps = rewriter.steps(func.steps, state)
  return { ...func, steps, results: func.results.map(name => state.names.get(name) ?? name) }
}

function rewriteStatements<S extends Rewriting>(
  statements: readonly HostStatement[],
  state: S,
  rewriter: Rewriter<S>,
): readonly HostStatement[] {
  return statements.flatMap(statement => {
    const rewritten = rewriteStatement(statement, state, rewriter)
    if (changesState(statement) || writesBuffers(statement)) rewriter.stateChanged?.(state)
    return rewritten
  })
}

function rewriteStatement<S extends Rewriting>(
  statement: HostStatement,
  state: S,
  rewriter: Rewriter<S>,
): readonly HostStatement[] {
  switch (statement.kind) {
    case 'compute':
      return rewriter.steps([statement.step], state).map(step => ({ kind: 'compute', step }))
    case 'minimize':
    case 'differentiate':
      return [rewriteMinimize(statement, state, rewriter)]
    case 'for':
      // A round comes after the one before it.
      if (changesState(statement) || writesBuffers(statement)) rewriter.stateChanged?.(state)
      return [rewriteBlocks(statement, state, rewriter)]
    case 'if':
      return [rewriteBlocks(statement, state, rewriter)]
    default:
      return [renameReads(statement, state.names)]
  }
}

function rewriteBlocks<S extends Rewriting>(
  statement: HostStatement,
  state: S,
  rewriter: Rewriter<S>,
): HostStatement {
  return mapBlocks(renameReads(statement, state.names), list =>
    rewriteStatements(list, rewriter.inner(state, 'branch'), rewriter),
  )
}

type Minimize = Extract<HostStatement, { readonly kind: 'minimize' | 'differentiate' }>

function rewriteMinimize<S extends Rewriting>(
  statement: Minimize,
  state: S,
  rewriter: Rewriter<S>,
): Minimize {
  const inner = rewriter.inner(state, 'region')
  const body = rewriter.steps(statement.body, inner)
  const to = (name: string) => inner.names.get(name) ?? name
  for (const name of statement.exports) if (to(name) !== name) state.names.set(name, to(name))
  return {
    ...statement,
    terms: renameTerms(statement.terms, inner.names),
    body,
    exports: exportsOf(body, statement.exports, inner.names),
  }
}

/** What is exported under its new names: each value once, and only the body's own. */
function exportsOf(body: readonly Step[], exports: readonly string[], names: Renaming): readonly string[] {
  const own = new Set(body.flatMap(outputNames))
  return [...new Set(exports.map(name => names.get(name) ?? name))].filter(name => own.has(name))
}
