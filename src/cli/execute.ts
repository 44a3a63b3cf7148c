import { basename, dirname, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { hostCalls } from '../ir/hostFunctions.ts'
import type { Program } from '../ir/ir.ts'
import type { ExitCode } from '../runtime/errors.ts'
import { dataPath } from '../runtime/sources/open.ts'
import { requireFunctions } from '../runtime/userModule.ts'
import type { Cli } from './cli.ts'
import { importGenerated } from './modules.ts'
import type { RunRequest } from './ports.ts'
import { seenFromHere } from './runErrors.ts'

/**
 * Runs a compiled program in its JavaScript form.
 * `path` is the `.ltm` file, beside which relative data paths begin.
 */
export async function execute(
  program: Program,
  path: string,
  request: Omit<RunRequest, 'module' | 'signal' | 'reporter' | 'print'>,
  cli: Cli,
): Promise<ExitCode> {
  const runtime = await cli.runtime()
  const { json, mode, profile, detectAnomaly, watched } = request
  const interrupts = cli.terminal.interrupts()
  try {
    const module = await importProgram(
      program,
      path,
      profile || (detectAnomaly && watched === undefined),
      cli,
    )
    // Predictions go to the output stream, so that what is said about them goes beside it.
    const reporter = await cli.terminal.reporter({ json, beside: mode === 'predict' && !json })
    const print = cli.terminal.out
    const { signal } = interrupts
    return await runtime.run({ ...request, module, signal, reporter, print }).finally(() => reporter.close())
  } catch (error) {
    throw seenFromHere(error, path)
  } finally {
    interrupts.release()
  }
}

/** The module that a program becomes, imported. `watched` operators tell that they run. */
export async function importProgram(
  program: Program,
  path: string,
  watched: boolean,
  cli: Cli,
): Promise<unknown> {
  const folder = dirname(resolve(path))
  const compiler = await cli.compiler()
  const text = compiler.emitProgram(program, {
    target: 'javascript',
    runtime: cli.runtimeUrl,
    directory: JSON.stringify(folder),
    watched,
    userModule: file => pathToFileURL(dataPath(folder, file)).href,
  })
  await requireCalled(program, folder)
  return importGenerated(program.name, text)
}

/** Loads the user's own files first: their faults are told at the lines that call them. */
async function requireCalled(program: Program, folder: string): Promise<void> {
  const calls = hostCalls(program)
  for (const file of new Set(calls.map(call => call.file))) {
    const own = calls.filter(call => call.file === file)
    const names = own.map(({ name, origin }) => ({ name, trace: `${basename(origin.file)}:${origin.line}` }))
    await requireFunctions(folder, file, names)
  }
}
