import type { Step } from '../ir/ir.ts'
import { stepText } from '../ir/print.ts'
import type { Pass } from './pass.ts'
import { type Rewriter, type Rewriting, rewriteProgram } from './rewrite.ts'
import { dependsOnTime, isEffect, renameInputs } from './values.ts'

/**
 * Computes equal steps once: the same operator of the same inputs with the same attributes, within a function or a list
 * of host statements and the lists in it.
 *
 *     %a = exp %x               %a = exp %x
 *     %b = exp %x          →    %c = add %a, %a
 *     %c = add %a, %b
 *
 * Left alone: a `read`, or a look at a clock or a `var`, behind a `minimize` or a `set` is not the one before it; the
 * reads in the body of a `minimize` are its own, since gradients flow to them; nothing is moved out of a branch. Draws
 * are shared like all else: equal keys give equal numbers.
 */
export const shareEqualSteps: Pass = {
  name: 'share-equal-steps',
  promise: 'No step stands where the result of an equal one is visible.',
  run: program => rewriteProgram(program, rewriter),
}

interface Sharing extends Rewriting {
  /** Steps by what they compute. */
  readonly seen: Map<string, Step>
}

const rewriter: Rewriter<Sharing> = {
  start: () => ({ names: new Map(), seen: new Map() }),
  steps: (steps, state) => steps.flatMap(step => shared(renameInputs(step, state.names), state)),
  inner: (state, list) => {
    const inner = { names: new Map(state.names), seen: new Map(state.seen) }
    if (list === 'region') forgetFleeting(inner)
    return inner
  },
  stateChanged: forgetFleeting,
}

function shared(step: Step, { names, seen }: Sharing): readonly Step[] {
  if (isEffect(step)) return [step]
  const what = stepText({ ...step, outputs: [] })
  const known = seen.get(what)
  if (known === undefined || known.outputs.length !== step.outputs.length) {
    seen.set(what, step)
    return [step]
  }
  step.outputs.forEach((output, i) => {
    names.set(output.name, known.outputs[i]!.name)
  })
  return []
}

function forgetFleeting({ seen }: Sharing): void {
  for (const [what, step] of seen) if (dependsOnTime(step)) seen.delete(what)
}
