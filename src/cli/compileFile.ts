import { normalize } from 'node:path'
import { nearest } from '../base/names.ts'
import type { Compilation, CompileOptions, FileSystem } from '../compiler.ts'
import type { Program } from '../ir/ir.ts'
import { exitCodes } from '../runtime/errors.ts'
import { badUsage, type Cli, Stop } from './cli.ts'
import { fileProblem } from './fileProblems.ts'
import { openFiles, requireProgram } from './files.ts'
import { showAll } from './show.ts'

/** Compiles one file that the user named. */
export async function compileFile(
  path: string,
  cli: Cli,
  options: CompileOptions = {},
  files: FileSystem = openFiles(),
): Promise<Compilation> {
  requireProgram(path)
  const compiler = await cli.compiler()
  return compiler.compile(normalize(path), files, options)
}

/** The programs of a file without errors; warnings are shown on the way. */
export async function compilePrograms(
  path: string,
  cli: Cli,
  options: CompileOptions = {},
  files: FileSystem = openFiles(),
): Promise<readonly Program[]> {
  const { diagnostics, programs } = await compileFile(path, cli, options, files)
  if (diagnostics.some(d => d.severity === 'error')) {
    throw new Stop(exitCodes.program, `\`${path}\` has errors`, diagnostics)
  }
  showAll(diagnostics, cli)
  if (programs.length > 0) return programs
  const help = 'a program to train has a declaration `train NAME { … }`; `ltm check` is content without one'
  throw new Stop(exitCodes.program, 'nothing to train', [fileProblem('LTM0006', path, help)])
}

/** The program that `--train` names, or the only one. */
export function chooseProgram(programs: readonly Program[], name: string | undefined): Program {
  const names = programs.map(program => program.name)
  const found = name === undefined ? programs[0] : programs.find(program => program.name === name)
  if (found && (name !== undefined || programs.length === 1)) return found
  if (name === undefined)
    throw badUsage(
      `the file has several \`train\` declarations: ${names.join(', ')}`,
      'Choose one with --train NAME.',
    )
  const near = nearest(name, names)
  const help = near === undefined ? `There are: ${names.join(', ')}.` : `Did you mean \`${near}\`?`
  throw badUsage(`there is no \`train ${name}\``, help)
}
