import type { Program } from '../ir/ir.ts'
import type { Cli } from './cli.ts'
import { importProgram } from './execute.ts'
import type { CountRequest } from './ports.ts'

/** Reads the data of a program, without all else of it, for the sizes that it asks for: by `data.field`. */
export async function readCounts(
  program: Program,
  path: string,
  request: Omit<CountRequest, 'module'>,
  cli: Cli,
): Promise<ReadonlyMap<string, number>> {
  const module = await importProgram(program, path, false, cli)
  const runtime = await cli.runtime()
  return runtime.readCounts({ ...request, module })
}
