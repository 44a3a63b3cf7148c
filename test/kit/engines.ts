import { fileURLToPath } from 'node:url'
import { type GraphProvider, type GraphSource, graphProviders, type Service } from '../../src/base/graphs.ts'
import type { Engine } from '../../src/cli/engine.ts'
import { compile, formGraphs, graphsOf } from '../../src/compiler.ts'
import type { Program } from '../../src/ir/ir.ts'
import type { TrainingEvent } from '../../src/runtime/events.ts'
import { train } from '../../src/runtime/program.ts'
import { modelOf, type Training } from '../../src/runtime/training.ts'
import { trainingOf } from './examples.ts'
import { libraryFiles } from './files.ts'
import { quietly } from './trainings.ts'

/** What a training came to. */
export interface Outcome {
  /** Raw weights and buffers by path. */
  readonly weights: ReadonlyMap<string, readonly number[]>
  /** What each batch showed, and the values at the end. */
  readonly steps: readonly Readonly<Record<string, number>>[]
  readonly metrics: Readonly<Record<string, number>>
}

/** An engine, or graphs that move parameters as well, as they do on a graphics card: on the processor, or on another provider. */
export type Way = Engine | 'moving' | GraphProvider

/** A training for an engine, and what a run on that engine is told. */
export interface Engined {
  readonly training: Training
  readonly graphs: WatchedGraphs | undefined
}

/** Graphs, and what the trainer has had done between them. */
interface WatchedGraphs extends GraphSource {
  readonly served: ReadonlySet<Service['kind']>
}

/** What the runtime makes of a program on an engine. */
export async function onEngine(way: Way, program: Program, folder: string): Promise<Engined> {
  if (way === 'eager') return { training: await trainingOf(program, folder), graphs: undefined }
  const lowered = formGraphs(program)
  const provider = graphProviders.find(name => name === way) ?? 'cpu'
  const graphs = watched(graphsOf(lowered, provider, way !== 'compiled'))
  return { training: await trainingOf(lowered, folder), graphs }
}

function watched(source: GraphSource): WatchedGraphs {
  const served = new Set<Service['kind']>()
  const serve = (service: Service) => {
    const graph = source.serve(service)
    if (graph !== undefined) served.add(service.kind)
    return graph
  }
  return { ...source, serve, served }
}

/** Trains a program for so many updates on one engine. */
export async function trainOn(way: Way, program: Program, folder: string, updates: number): Promise<Outcome> {
  const engined = await onEngine(way, program, folder)
  const training = limited(engined.training, updates)
  const { graphs } = engined
  // The same kernels for all that no graph holds, and fast ones for the engine that has no graphs.
  const options = quietly(graphs === undefined ? { backend: 'wasm' } : { backend: 'cpu', graphs })
  const { metrics } = await train(training, options)
  if (graphs?.moves === true && !graphs.served.has('update')) throw new Error('no graph moved anything')
  return { weights: weightsOf(training), steps: options.events.flatMap(shownBy), metrics }
}

/** The programs of a file of the project. */
export function programsIn(folder: string, name: string): readonly Program[] {
  const root = fileURLToPath(new URL('../../', import.meta.url))
  return compile(`${name}.ltm`, libraryFiles(`${root}${folder}`)).programs
}

function limited(training: Training, updates: number): Training {
  const { epochs: _, stop: __, ...trainer } = training.trainer
  return { ...training, trainer: { ...trainer, updates: { count: updates } } }
}

function weightsOf({ models }: Training): Outcome['weights'] {
  const states = models.flatMap(model => [...model[modelOf].parameters, ...model[modelOf].buffers])
  return new Map(states.map(({ path, variable }) => [path, Array.from(variable?.dataSync() ?? [])]))
}

function shownBy(event: TrainingEvent): readonly Readonly<Record<string, number>>[] {
  return event.kind === 'step' ? [event.values] : []
}

/** How far two lists lie apart, against the length of the first: a single number near 0 says little by itself. */
export function distance(a: readonly number[], b: readonly number[]): number {
  if (a.length !== b.length) return Number.POSITIVE_INFINITY
  const length = (numbers: readonly number[]) => Math.sqrt(numbers.reduce((sum, x) => sum + x * x, 0))
  return length(a.map((x, i) => (Object.is(x, b[i]) ? 0 : x - b[i]!))) / Math.max(length(a), 1e-3)
}
