import { removeDeadArguments } from './arguments.ts'
import { removeDeadSteps } from './dead.ts'
import { formGraphs } from './form-graphs.ts'
import { formRegions } from './form-regions.ts'
import { removeDeadFunctions } from './functions.ts'
import { expandGradients } from './gradient.ts'
import { inlineSmall } from './inline.ts'
import { inlineGraphs } from './inline-graphs.ts'
import type { Pass } from './pass.ts'
import { shareEqualSteps } from './share.ts'
import { showOutside } from './show-outside.ts'
import { simplify } from './simplify.ts'

/** For targets that run step by step and keep the program's functions readable: TypeScript on TensorFlow.js. */
export const eagerPipeline: readonly Pass[] = [
  // Before everything else: what comes after simplifies the steps of a gradient like any other.
  expandGradients,
  // Before simplifying: a body in the place of its call brings constants and identities to light.
  inlineSmall,
  // Before sharing: steps that differ only in how they are written become equal.
  simplify,
  // Before regions are formed: a value that is computed twice would be moved in twice.
  shareEqualSteps,
  // Before dead steps go: what computed an argument that nobody reads is one of them.
  removeDeadArguments,
  // Drops what the passes before left behind, so that no dead step is moved or copied.
  removeDeadSteps,
  // Last of those that change steps: from here on the body of a `minimize` is what is differentiated.
  formRegions,
  // Again, for a copy may have taken the last reader of its original.
  removeDeadSteps,
  // Inlining has left functions that nobody calls.
  removeDeadFunctions,
]

/** For counting what a step does, module by module: functions stay as they were declared. */
export const summaryPipeline: readonly Pass[] = [
  // Second derivatives are work like any other.
  expandGradients,
  // What nobody reads is not computed.
  removeDeadSteps,
  // The body of a `minimize` is what its gradient reads, with what several of them compute again.
  formRegions,
  removeDeadSteps,
]

/**
 * Behind the eager pipeline, for engines that run all that a step computes between two changes as one graph: up to there it is
 * the same program, so that both engines compute the same.
 */
export const graphPipeline: readonly Pass[] = [
  // From here on gradients are values, and most steps stand in graphs.
  formGraphs,
  // Before gradients: what is differentiated is one list of steps, in which nothing is computed anew.
  inlineGraphs,
  // Before gradients: no gradient shows anything.
  showOutside,
  expandGradients,
  // The gradient of a loop calls that of its body.
  inlineGraphs,
  // Again, for the steps of gradients and what inlining brought to light.
  simplify,
  shareEqualSteps,
  removeDeadSteps,
  removeDeadFunctions,
]

/** Every pass, by the name that the command line takes. */
export const passes: Readonly<Record<string, Pass>> = Object.fromEntries(
  [...eagerPipeline, ...graphPipeline].map(pass => [pass.name, pass]),
)
