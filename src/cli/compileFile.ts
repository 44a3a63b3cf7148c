import { normalize } from 'node:path'
import { nearest } from '../base/names.ts'
import type { Compilation, CompileOptions, FileSystem } from '../compiler.ts'
import type { Diagnostic } from '../diagnostics/diagnostic.ts'
import type { Program } from '../ir/ir.ts'
import { exitCodes } from '../runtime/errors.ts'
import { badUsage, type Cli, Stop } from './cli.ts'
import { fileProblem } from './fileProblems.ts'
import { openFiles, requireProgram } from './files.ts'
import type { CountRequest } from './ports.ts'
import { readCounts } from './readCounts.ts'
import { showAll } from './show.ts'

/** What is wrong with one file that the user named. */
export async function checkFile(path: string, cli: Cli): Promise<readonly Diagnostic[]> {
  requireProgram(path)
  const { check } = await cli.checker()
  return check(normalize(path), openFiles()).diagnostics
}

/** Compiles one file that the user named. */
export async function compileFile(
  path: string,
  cli: Cli,
  options: CompileOptions = {},
  files: FileSystem = openFiles(),
): Promise<Compilation> {
  requireProgram(path)
  const compiler = await cli.compiler()
  return compiler.compile(normalize(path), files, { verify: 'last', ...options })
}

/** By which splits a program's data is read for the sizes that it asks for: those of the run to come. */
export type Reading = Omit<CountRequest, 'module'>

export interface Compiling extends Omit<CompileOptions, 'counts'> {
  readonly files?: FileSystem
  readonly reading?: Reading
}

/** The programs of a file without errors; warnings are shown on the way. */
export async function compilePrograms(
  path: string,
  cli: Cli,
  compiling: Compiling = {},
): Promise<readonly Program[]> {
  return shownPrograms(path, cli, await compileSettled(path, cli, compiling, ({ open }) => open))
}

/** The program that `--train` names, or the only one. */
export async function compileProgram(
  path: string,
  cli: Cli,
  train: string | undefined,
  compiling: Compiling = {},
): Promise<Program> {
  const compilation = await compileSettled(path, cli, compiling, ({ open, programs }) => {
    const name = open.length === 0 ? undefined : chooseProgram([...programs, ...open], train).name
    return open.filter(program => program.name === name)
  })
  return chooseProgram(shownPrograms(path, cli, compilation), train)
}

/**
 * Compiles until nothing that is needed waits for its data: what a program asks of it is read, and the program compiled with
 * that; datasets may ask sizes of others in turn.
 */
export async function compileSettled(
  path: string,
  cli: Cli,
  { files = openFiles(), reading = { mode: 'train' }, ...options }: Compiling,
  needed: (compilation: Compilation) => readonly Program[],
): Promise<Compilation> {
  const counts = new Map<string, ReadonlyMap<string, number>>()
  for (;;) {
    const compilation = await compileFile(path, cli, { ...options, counts }, files)
    const waiting = compilation.open.length === 0 ? [] : needed(compilation)
    if (waiting.length === 0) return compilation
    for (const program of waiting) {
      const known = counts.get(program.name) ?? []
      counts.set(program.name, new Map([...known, ...(await readCounts(program, path, reading, cli))]))
    }
  }
}

function shownPrograms(path: string, cli: Cli, { diagnostics, programs }: Compilation): readonly Program[] {
  if (diagnostics.some(d => d.severity === 'error'))
    throw new Stop(exitCodes.program, `\`${path}\` has errors`, diagnostics)
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
