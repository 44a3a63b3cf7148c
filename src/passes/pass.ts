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

/** How passes are watched. */
export interface PassOptions {
  /** Shown what each pass has made. */
  readonly observe?: (pass: string, program: Program) => void
  /**
   * Whether what `each` pass made is verified, which tells at once whose fault it is, or what the `last` one made, which finds
   * the fault all the same, in a third of the time. `each`, unless told otherwise.
   */
  readonly verify?: 'each' | 'last'
}

/** Runs passes in order. */
export function runPasses(
  program: Program,
  passes: readonly Pass[],
  { observe, verify: which = 'each' }: PassOptions = {},
): Program {
  return passes.reduce((before, pass, i) => {
    const after = pass.run(before)
    if (which === 'each' || i === passes.length - 1) verify(after, pass.name)
    observe?.(pass.name, after)
    return after
  }, program)
}
