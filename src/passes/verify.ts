import type { Program } from '../ir/ir.ts'
import { verifyDeclarations } from './verify/declarations.ts'
import { programFacts } from './verify/facts.ts'
import { verifyFunctions } from './verify/functions.ts'
import { verifyClosures, verifyHooks, verifyTrainingSteps } from './verify/statements.ts'

/**
 * Throws a Bug where a program is not what ir.ts says: names are given once and before they are read, every type is the
 * one that the operator table infers, functions fit their calls, and the declarations name what there is. `after` is the
 * pass that made it, for the complaint. That the program has the form of one is schema.ts' to say.
 */
export function verify(program: Program, after?: string): void {
  const facts = programFacts(program, after)
  verifyFunctions(facts)
  verifyDeclarations(facts)
  verifyTrainingSteps(facts)
  verifyHooks(facts)
  verifyClosures(facts)
}
