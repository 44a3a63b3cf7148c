import { type GraphProvider, type GraphSource, graphBackends, graphProviders } from '../base/graphs.ts'
import type { Program } from '../ir/ir.ts'
import { badUsage, type Cli, type Stop } from './cli.ts'

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

/**
 * `auto` compiles unless a backend is named that has no graphs, or the run that goes on had one of its own; and it runs the whole program
 * step by step where a part of its training would have to: two engines side by side are slower than either.
 */
export async function chooseEngine(
  program: Program,
  request: EngineRequest,
  cli: Cli,
): Promise<ChosenEngine> {
  const eager = (note?: string): ChosenEngine => ({ program, graphs: undefined, note })
  const { engine } = request
  if (engine === 'eager') {
    if (request.backend === 'cuda') throw noKernels()
    return eager()
  }
  const provider = providerOf(request)
  if (provider === undefined) return eager()
  const compiler = await cli.compiler()
  const lowered = compiler.formGraphs(program, { verify: 'last' })
  const graphs = compiler.graphsOf(lowered, provider)
  const left = reasonsOf(graphs)
  // Nothing but graphs runs on CUDA, and a device that was asked for by name is not passed over in silence.
  if (engine === 'compiled' || provider === 'cuda')
    return { program: lowered, graphs, note: left && `not compiled, and run step by step: ${left}` }
  if (left !== undefined) return eager(`runs step by step, since not all of it can be compiled: ${left}`)
  const runtime = await cli.runtime()
  const missing = provider === 'cpu' ? await runtime.lacksGraphs() : undefined
  return missing === undefined
    ? { program: lowered, graphs, note: undefined }
    : eager(`runs step by step: ${missing}`)
}

/** What graphs would run on; undefined where kernels are to run. */
function providerOf({ engine, backend, before }: EngineRequest): GraphProvider | undefined {
  const named = graphProviders.find(name => name === backend)
  if (engine === 'compiled') {
    if (named === undefined && backend !== 'auto') throw noGraphs(backend)
    return named ?? 'cpu'
  }
  // The processor's kernels are asked for by its name: they are what one reads and debugs.
  if (backend !== 'auto') return named === 'cpu' ? undefined : named
  return before === undefined ? 'cpu' : graphProviders.find(name => graphBackends[name] === before)
}

function noGraphs(backend: string): Stop {
  return badUsage(
    `the backend \`${backend}\` runs operator by operator, and \`--engine compiled\` takes ${graphProviders.join(', ')}`,
    `Leave \`--engine compiled\` out, or say \`--backend cpu\`.`,
  )
}

function noKernels(): Stop {
  return badUsage(
    '`cuda` runs compiled graphs alone, and `--engine eager` runs operator by operator',
    "Leave `--engine eager` out, or take TensorFlow's library for CUDA: `--backend tensorflow`.",
  )
}

/** `a loop goes along an axis whose length only a batch tells (lstm.ltm:12)`. */
function reasonsOf({ obstacles }: GraphSource): string | undefined {
  const reasons = new Map(obstacles.map(({ reason, trace }) => [reason, trace]))
  if (reasons.size === 0) return undefined
  return [...reasons].map(([reason, trace]) => `${reason} (${trace})`).join('; ')
}
