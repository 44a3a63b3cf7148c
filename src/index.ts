/** The compiler as a library: text in, diagnostics and programs out. `ltm-lang/runtime` is what its programs run on. */

import type { emitProgram } from './compiler.ts'

export type { Position, Source, Span } from './base/source.ts'
export { openFiles } from './cli/files.ts'
export { type Compilation, type CompileOptions, compile, emitProgram, type FileSystem } from './compiler.ts'
export type { Diagnostic, Severity } from './diagnostics/diagnostic.ts'
export {
  type JsonDiagnostic,
  type Renderable,
  type RenderOptions,
  renderDiagnostic,
  renderJson,
  summarize,
} from './diagnostics/render.ts'
export type { Program } from './ir/ir.ts'

/** How a program is written: as TypeScript or JavaScript, and what it imports the runtime by. */
export type EmitOptions = Parameters<typeof emitProgram>[1]
