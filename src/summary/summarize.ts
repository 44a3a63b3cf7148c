import type { Dataset, Optimizer, Parameter, Phase, Program, StepStream, TrainingStep } from '../ir/ir.ts'
import { sizesIn, typeAt } from '../passes/calls.ts'
import { runPasses } from '../passes/pass.ts'
import { summaryPipeline } from '../passes/pipelines.ts'
import { add, compareDims, type Dim, isAtLeast, substitute } from '../types/dim.ts'
import { backwardOf, bytesOf, multiplyAddsOf, sum } from './cost.ts'
import { elementsOf, type ModuleSummary, modulesOf } from './modules.ts'
import { startWalk, type Trail, type Values, walkStatements } from './work.ts'

/** What is known of a program before anything runs. A size that only a run knows stays a symbol: `768 * words`. */
export interface Summary {
  readonly name: string
  readonly file: string
  readonly modules: readonly ModuleSummary[]
  /** Numbers in all parameters, in those that an optimizer moves, and in the others. */
  readonly parameters: { readonly all: Dim; readonly trained: Dim; readonly frozen: Dim }
  readonly steps: readonly StepSummary[]
  readonly memory: Memory
  /** The sizes that only the data tells, by name, with what they were taken to be. */
  readonly sizes: Readonly<Record<string, number | null>>
}

export interface StepSummary {
  readonly phase: Phase
  readonly name?: string
  /** Examples of its first stream; absent where it has none. */
  readonly batch?: number
  /** Multiply-adds of one batch, and of its gradients. */
  readonly forward: Dim
  readonly backward: Dim
  /** Bytes that its gradients read again, of the largest `minimize`. */
  readonly kept: Dim
}

/** Bytes that a training step needs, an estimate: what a backend holds besides is not in it. */
export interface Memory {
  readonly parameters: Dim
  readonly buffers: Dim
  readonly gradients: Dim
  readonly slots: Dim
  readonly activations: Dim
  readonly batch: Dim
  readonly total: Dim
}

/** Summarises a program as it was elaborated. `sizes` are what is known of symbols. */
export function summarize(elaborated: Program, sizes: ReadonlyMap<string, number> = new Map()): Summary {
  const program = runPasses(elaborated, summaryPipeline, { verify: 'last' })
  const optimizers = program.optimizers.filter(({ follows }) => follows === undefined)
  const moved = new Set(optimizers.flatMap(movedBy))
  const isTrained = ({ path, frozen }: Parameter) => moved.has(path) && !frozen
  const walked = program.steps.map(step => ({ step, trail: walk(program, step, sizes) }))
  const inOrder = walked.toSorted((a, b) => rankOf(a.step) - rankOf(b.step))
  const steps = walked.map(({ step, trail }) => stepSummary(program, step, trail))
  const trained = program.parameters.filter(isTrained)
  const all = elementsOf(program.parameters)
  return {
    name: program.name,
    file: program.file,
    modules: modulesOf(
      program.parameters,
      inOrder.map(({ trail }) => trail),
      isTrained,
    ),
    parameters: {
      all,
      trained: elementsOf(trained),
      frozen: elementsOf(program.parameters.filter(parameter => !isTrained(parameter))),
    },
    steps,
    memory: memoryOf(program, optimizers, trained, steps, sizes),
    sizes: Object.fromEntries(openSizes(program).map(name => [name, sizes.get(name) ?? null])),
  }
}

/** What the types of batches mention beside their numbers of examples. */
function openSizes({ steps }: Program): readonly string[] {
  const streams = steps.flatMap(step => step.streams)
  const named = streams.flatMap(({ fields }) => fields.flatMap(({ value }) => sizesIn(value.type)))
  const batches = new Set(streams.map(({ size }) => size))
  return [...new Set(named)].filter(name => !batches.has(name))
}

function movedBy({ groups }: Optimizer): readonly string[] {
  return groups.flatMap(({ parameters }) => parameters)
}

/** Modules are shown as training calls them, if it does. */
function rankOf({ phase }: TrainingStep): number {
  return ['train', 'val', 'test', 'predict'].indexOf(phase)
}

function walk(program: Program, step: TrainingStep, sizes: ReadonlyMap<string, number>): Trail {
  const place = startWalk(program, sizesOf(program, step, sizes))
  const fields = step.streams.flatMap(stream => stream.fields)
  const values: Values = new Map(fields.map(({ value: { name, type } }) => [name, { type }]))
  if (step.key !== undefined) values.set(step.key, { type: 'key' })
  walkStatements(step.body, values, place)
  return place.trail
}

/** What the sizes of a step are: those of its batches, as declared, and those that are given. */
function sizesOf(program: Program, step: TrainingStep, sizes: ReadonlyMap<string, number>): Map<string, Dim> {
  const batches = step.streams.flatMap(stream => {
    const batch = batchOf(program, stream)
    return batch === undefined ? [] : [[stream.size, batch] as const]
  })
  return new Map<string, Dim>([...batches, ...sizes])
}

function batchOf({ datasets }: Program, { data }: StepStream): number | undefined {
  return datasets.find((dataset: Dataset) => dataset.name === data)?.batch
}

function stepSummary(program: Program, step: TrainingStep, trail: Trail): StepSummary {
  const [first] = step.streams
  const known = (size: Dim) => substitute(size, trail.dims)
  const batch = first && batchOf(program, first)
  const backward = trail.descents.map(descent => {
    const optimizer = program.optimizers.find(({ name }) => name === descent.optimizer)
    const moved = new Set(optimizer === undefined ? [] : movedBy(optimizer))
    const frozen = new Set(program.parameters.flatMap(({ path, frozen }) => (frozen ? [path] : [])))
    return backwardOf(descent, path => moved.has(path) && !frozen.has(path))
  })
  return {
    phase: step.phase,
    ...(step.name !== undefined && { name: step.name }),
    ...(batch !== undefined && { batch }),
    forward: known(sum(trail.works.map(multiplyAddsOf))),
    backward: known(sum(backward.map(({ multiplyAdds }) => multiplyAdds))),
    kept: largest(backward.map(({ kept }) => known(kept))),
  }
}

function memoryOf(
  program: Program,
  optimizers: readonly Optimizer[],
  trained: readonly Parameter[],
  steps: readonly StepSummary[],
  sizes: ReadonlyMap<string, number>,
): Memory {
  const bytesBy = (held: readonly Parameter[]) => sum(held.map(({ type }) => bytesOf(type)))
  const groups = optimizers.map(optimizer => {
    const moved = new Set(movedBy(optimizer))
    const bytes = bytesBy(trained.filter(({ path }) => moved.has(path)))
    const slots = sum(optimizer.slots.map(({ type }) => (type === undefined ? bytes : bytesOf(type))))
    return { slots, bytes }
  })
  const parts = {
    parameters: bytesBy(program.parameters),
    buffers: sum(program.buffers.map(({ type }) => bytesOf(type))),
    gradients: largest(groups.map(({ bytes }) => bytes)),
    slots: sum(groups.map(({ slots }) => slots)),
    activations: largest(steps.map(({ kept }) => kept)),
    batch: largest(
      program.steps.filter(({ phase }) => phase === 'train').map(step => batchBytes(program, step, sizes)),
    ),
  }
  return { ...parts, total: sum(Object.values(parts)) }
}

function batchBytes(program: Program, step: TrainingStep, sizes: ReadonlyMap<string, number>): Dim {
  const dims = sizesOf(program, step, sizes)
  const types = step.streams.flatMap(({ fields }) => fields.map(({ value }) => value.type))
  return sum(types.map(type => bytesOf(typeAt(type, { dims, rests: new Map() }))))
}

/** The largest of some sizes; of two that only a run can compare, their sum, which neither exceeds. */
function largest(sizes: readonly Dim[]): Dim {
  return sizes.reduce<Dim>((most, size) => {
    if (compareDims(most, size) === 'equal' || isAtLeast(most, size) === true) return most
    return isAtLeast(size, most) === true ? size : add(most, size)
  }, 0)
}
