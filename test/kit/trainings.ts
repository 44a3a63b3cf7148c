import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as tf from '@tensorflow/tfjs-core'
import type { Reporter, TrainingEvent } from '../../src/runtime/events.ts'
import { dataset, optimizer } from '../../src/runtime/holders.ts'
import { model, parameter } from '../../src/runtime/model.ts'
import type { RunOptions } from '../../src/runtime/start.ts'
import type {
  Batch,
  DatasetSpec,
  HookSpec,
  OptimizerHolder,
  OptimizerSpec,
  ParameterSpec,
  Run,
  StepSpec,
  TrainerOptions,
  Training,
} from '../../src/runtime/training.ts'

/** Small programs, written by hand as the compiler would emit them: y = w·x on a few numbers. */
export interface Line {
  readonly training: Training
  readonly line: { readonly w: tf.Tensor }
  readonly sgd: OptimizerHolder
}

export interface LineOptions {
  readonly x?: readonly number[]
  readonly y?: readonly number[]
  readonly split?: DatasetSpec['split']
  readonly batch?: number
  readonly shuffle?: boolean
  readonly start?: number
  readonly rate?: number
  readonly trainer?: Partial<TrainerOptions>
  readonly hooks?: readonly HookSpec[]
  readonly loss?: (run: Run, batch: Batch, error: tf.Tensor) => { loss: tf.Tensor; weight?: tf.Tensor }
  readonly steps?: (parts: {
    points: DatasetSpec
    sgd: OptimizerHolder
    line: { w: tf.Tensor }
  }) => readonly StepSpec[]
}

export const trace = 'line.ltm:1'

export function weight(start: number | readonly number[]): ParameterSpec {
  const shape = typeof start === 'number' ? [] : [start.length]
  return parameter({
    shape,
    init: () => tf.tensor(typeof start === 'number' ? [start] : [...start], shape),
    trace,
  })
}

export function plainSgd(name: string, parameters: readonly string[], rate: number): OptimizerHolder {
  const update: OptimizerSpec['groups'][number]['update'] = (_, param, grad, __, { lr }) => ({
    param: tf.sub(param, tf.mul(grad, lr!)),
  })
  return optimizer({
    name,
    slots: {},
    groups: [{ parameters, settings: () => ({ lr: rate }), update }],
    trace,
  })
}

export function points(options: LineOptions): DatasetSpec {
  const { x = [1, 2, 3, 4], y = [2, 4, 6, 8], split = [['train', 1]], batch = 2, shuffle = false } = options
  const field = { dtype: 'float32', shape: [], whole: false, trace } as const
  return dataset({
    name: 'points',
    source: { kind: 'inline', columns: [x, y], trace },
    columns: [0, 1],
    fields: ([first, second]) => [first!, second!],
    schema: [
      { ...field, name: 'x', columns: [0] },
      { ...field, name: 'y', columns: [1] },
    ],
    split,
    batch,
    shuffle,
    dropLast: false,
    trace,
  })
}

export function lineTraining(options: LineOptions = {}): Line {
  const { start = 0, rate = 0.1, hooks = [], loss = (_, __, error) => ({ loss: tf.square(error) }) } = options
  const line = model('line', { w: weight(start) })
  const sgd = plainSgd('sgd', ['line.w'], rate)
  const data = points(options)
  const run = async (run: Run, batch: Batch) => {
    const body = () => loss(run, batch, tf.sub(tf.mul(line.w, batch.fields.x!), batch.fields.y!))
    await run.minimize(sgd, 'loss', body, 'line.ltm:7')
  }
  const own: readonly StepSpec[] = [
    { phase: 'train', streams: [{ data: 'points', split: 'train' }], run, trace },
  ]
  const steps = options.steps?.({ points: data, sgd, line }) ?? own
  const usual = { epochs: 1, seed: 1, accumulate: 1, nonfinite: 'stop', sanity: 0 } as const
  const trainer = { ...usual, ...options.trainer }
  const declared = { data: [data], models: [line], optimizers: [sgd], metrics: [], steps, hooks, trainer }
  return {
    training: { name: 'Line', file: 'line.ltm', directory: '.', settings: {}, ...declared },
    line,
    sgd,
  }
}

/** The number in a tensor; a GPU can only be asked asynchronously. */
export async function value(tensor: tf.Tensor): Promise<number> {
  return (await tensor.data())[0]!
}

/** Runs that keep nothing; what they report is collected. `LTM_TEST_BACKEND` tries another backend than the one that is everywhere. */
export function quietly(options: RunOptions = {}): RunOptions & { readonly events: TrainingEvent[] } {
  const events: TrainingEvent[] = []
  const reporter: Reporter = event => void events.push(event)
  return { backend: process.env.LTM_TEST_BACKEND ?? 'cpu', runs: false, reporter, ...options, events }
}

let root: string | undefined

/** A folder that goes when the test file's process ends. */
export function temporaryFolder(): string {
  root ??= makeRoot()
  return mkdtempSync(join(root, 'folder-'))
}

function makeRoot(): string {
  const folder = mkdtempSync(join(tmpdir(), 'ltm-test-'))
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  return folder
}
