import { type Checked, type CheckOptions, check, type FileSystem } from './checker.ts'
import type { Diagnostic } from './diagnostics/diagnostic.ts'
import type { Program } from './ir/ir.ts'
import { type PassOptions, runPasses } from './passes/pass.ts'
import { eagerPipeline } from './passes/pipelines.ts'
import { verify } from './passes/verify.ts'

/** Every stage of each program is observed and verified: `elaborate`, then each pass by name. */
export interface CompileOptions extends CheckOptions, PassOptions {}

export interface Compilation {
  readonly diagnostics: readonly Diagnostic[]
  /** One for each `train`, lowered when they are first asked for; empty where there are errors. */
  readonly programs: readonly Program[]
  /**
   * Every `train` that takes sizes from its data, `reviews.words.count`, which `counts` does not give: its data alone. The
   * compiler reads no data; whoever does compiles again with what it says, until nothing is open.
   */
  readonly open: readonly Program[]
}

/** Text in, diagnostics and programs out: check, run the passes. */
export function compile(path: string, files: FileSystem, options: CompileOptions = {}): Compilation {
  return loweredLater(check(path, files, options), options)
}

/** Programs are lowered when somebody asks for them: whoever only checks does not wait for it. */
function loweredLater({ diagnostics, programs, open }: Checked, options: CompileOptions): Compilation {
  let lowered: readonly Program[] | undefined
  let data: readonly Program[] | undefined
  return {
    diagnostics,
    get open() {
      data ??= open.map(program => lower(program, {}))
      return data
    },
    get programs() {
      lowered ??= programs.map(program => lower(program, options))
      return lowered
    },
  }
}

function lower(program: Program, options: PassOptions): Program {
  options.observe?.('elaborate', program)
  if (options.verify !== 'last') verify(program, 'elaborate')
  return runPasses(program, eagerPipeline, options)
}

export { compileLibrary, type FileSystem } from './checker.ts'
export { emitProgram } from './emit/tfjs/program.ts'
export { formGraphs, graphsOf } from './graphs.ts'
export { summarize } from './summary/summarize.ts'
