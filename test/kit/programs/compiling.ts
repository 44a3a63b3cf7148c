import { isDeepStrictEqual } from 'node:util'
import { compile, emitProgram, formGraphs, graphsOf } from '../../../src/compiler.ts'
import type { Diagnostic } from '../../../src/diagnostics/diagnostic.ts'
import { renderDiagnostic } from '../../../src/diagnostics/render.ts'
import { format } from '../../../src/format/format.ts'
import type { Program } from '../../../src/ir/ir.ts'
import { programToJson } from '../../../src/ir/json.ts'
import { parseProgram } from '../../../src/ir/parse.ts'
import { printProgram } from '../../../src/ir/print.ts'
import { programFromJson } from '../../../src/ir/readJson.ts'
import { memoryFiles } from '../files.ts'

/** Why something is no good. */
export class Fault extends Error {}

const file = 'random.ltm'

/** The program of a text without errors. What was made smaller may have names that nobody uses. */
export function compiled(text: string): Program {
  const { diagnostics, programs } = compile(file, memoryFiles({ [file]: text }))
  const errors = diagnostics.filter(({ severity }) => severity === 'error')
  if (errors.length > 0) throw new Fault(`has errors: ${shown(errors)}`)
  const [program] = programs
  if (program === undefined) throw new Fault('is no program')
  return program
}

const shown = (diagnostics: readonly Diagnostic[]): string =>
  diagnostics.map(each => renderDiagnostic(each, { color: false, width: 100 })).join('\n')

/** Nothing is wrong with a text, not even so that it has a warning. */
export function checkQuiet(text: string): void {
  const { diagnostics } = compile(file, memoryFiles({ [file]: text }))
  if (diagnostics.length > 0) throw new Fault(`is told of: ${shown(diagnostics)}`)
}

/** All that the compiler promises of a program. Gives the TypeScript of both of its forms. */
export function checkCompiler(text: string): readonly string[] {
  const program = compiled(text)
  checkFormat(text, program)
  checkTexts(program)
  const graphs = formGraphs(program)
  checkTexts(graphs)
  const [left] = graphsOf(graphs, 'cpu').obstacles
  if (left !== undefined) throw new Fault(`is not compiled as a whole: ${left.reason} (${left.trace})`)
  return [program, graphs].map(each =>
    emitProgram(each, { target: 'typescript', runtime: 'ltm-lang/runtime', directory: '"."' }),
  )
}

/** Formatted it means the same, and formatting it again changes nothing. */
function checkFormat(text: string, program: Program): void {
  const formatted = formattedText(text)
  if (formattedText(formatted) !== formatted) throw new Fault('is formatted another way the second time')
  if (printProgram(compiled(formatted)) !== printProgram(program))
    throw new Fault('means something else when it is formatted')
}

function formattedText(text: string): string {
  const result = format({ name: file, text })
  if ('errors' in result) throw new Fault(`is not formatted:\n${shown(result.errors)}`)
  return result.text
}

/** As text and as JSON the IR reads back equal. */
function checkTexts(program: Program): void {
  if (!isDeepStrictEqual(parseProgram(printProgram(program, { locations: true })), program))
    throw new Fault('reads back as another program from its text')
  if (!isDeepStrictEqual(programFromJson(programToJson(program)), program))
    throw new Fault('reads back as another program from its JSON')
}
