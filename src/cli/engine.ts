import type { GraphSource } from '../base/graphs.ts'
import type { Program } from '../ir/ir.ts'
import type { Cli } from './cli.ts'

/** How steps run: operator by operator, as the program reads, or as compiled graphs. */
export type Engine = 'eager' | 'compiled'
export const engines = ['auto', 'eager', 'compiled'] as const

export interface EngineRequest {
  readonly engine: (typeof engines)[number]
  readonly backend: string
  /** What the run that goes on has been computed with, where it is known. */
  readonly before: string | undefined
}

export interface ChosenEngine {
  readonly program: Program
  /** Present where the program has been compiled for them. */
  readonly graphs: GraphSource | undefined
  /** What the person should know of the choice. */
  readonly note: string | undefined
}

/** What ONNX Runtime's runs are called among backends. */
export const graphBackend = 'onnx'

/**
 * `auto` compiles unless a backend is named, or the run that goes on had one of its own; and it runs the whole program
 * step by step where a part of its training would have to: two engines side by side are slower than either.
 */
export async function chooseEngine(
  program: Program,
  request: EngineRequest,
  cli: Cli,
): Promise<ChosenEngine> {
  const eager = (note?: string): ChosenEngine => ({ program, graphs: undefined, note })
  const { engine, backend, before } = request
  if (engine === 'eager') return eager()
  const isFree = backend === 'auto' && (before === undefined || before === graphBackend)
  if (engine === 'auto' && !isFree) return eager()
  const compiler = await cli.compiler()
  const lowered = compiler.formGraphs(program)
  const graphs = compiler.graphsOf(lowered, 'cpu')
  const left = reasonsOf(graphs)
  if (engine === 'compiled')
    return { program: lowered, graphs, note: left && `not compiled, and run step by step: ${left}` }
  if (left !== undefined) return eager(`runs step by step, since not all of it can be compiled: ${left}`)
  const runtime = await cli.runtime()
  const missing = await runtime.lacksGraphs()
  return missing === undefined
    ? { program: lowered, graphs, note: undefined }
    : eager(`runs step by step: ${missing}`)
}

/** `a loop goes along an axis whose length only a batch tells (lstm.ltm:12)`. */
function reasonsOf({ obstacles }: GraphSource): string | undefined {
  const reasons = new Map(obstacles.map(({ reason, trace }) => [reason, trace]))
  if (reasons.size === 0) return undefined
  return [...reasons].map(([reason, trace]) => `${reason} (${trace})`).join('; ')
}
