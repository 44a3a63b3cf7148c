import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import type { Program } from '../ir/ir.ts'
import type { ExitCode } from '../runtime/errors.ts'
import { watchInterrupts } from '../runtime/interrupts.ts'
import type { Cli } from './cli.ts'
import { writeModule } from './modules.ts'
import type { RunRequest } from './ports.ts'

/**
 * Runs a compiled program: its JavaScript form is written to a folder that lives as long as the run, and imported.
 * `path` is the `.ltm` file, beside which relative data paths begin.
 */
export async function execute(
  program: Program,
  path: string,
  request: Omit<RunRequest, 'module' | 'signal'>,
  cli: Cli,
): Promise<ExitCode> {
  const [compiler, runtime] = await Promise.all([cli.compiler(), cli.runtime()])
  const text = compiler.emitProgram(program, {
    target: 'javascript',
    runtime: cli.runtimeUrl,
    directory: JSON.stringify(dirname(resolve(path))),
  })
  const folder = mkdtempSync(join(tmpdir(), 'ltm-'))
  const remove = () => rmSync(folder, { recursive: true, force: true })
  process.once('exit', remove)
  const interrupts = watchInterrupts(cli.terminal.err)
  try {
    const module: unknown = await import(writeModule(folder, program.name, text))
    return await runtime.run({ ...request, module, signal: interrupts.signal })
  } finally {
    interrupts.release()
    process.off('exit', remove)
    remove()
  }
}
