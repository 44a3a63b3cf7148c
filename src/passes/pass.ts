import type { Program } from '../ir/ir.ts'
import { verify } from './verify.ts'

/** A rewriting of programs that keeps their meaning. */
export interface Pass {
  /** As it is called on the command line and in complaints: `share-equal-steps`. */
  readonly name: string
  /** One sentence: what holds of its result. */
  readonly promise: string
  run(program: Program): Program
}

/** Runs passes in order. What each one made is verified, and shown to `observe`. */
export function runPasses(
  program: Program,
  passes: readonly Pass[],
  observe?: (name: string, program: Program) => void,
): Program {
  return passes.reduce((before, pass) => {
    const after = pass.run(before)
    verify(after, pass.name)
    observe?.(pass.name, after)
    return after
  }, program)
}
