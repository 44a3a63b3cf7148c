/** All that a generated program, or whoever runs one from TypeScript, needs. */

export * as tf from '@tensorflow/tfjs-core'
export { type HookEvent, hookEvents } from '../base/hookEvents.ts'
export {
  type Backend,
  type BackendName,
  type BackendSurvey,
  backends,
  type Probe,
  surveyBackends,
} from './backends.ts'
export type { JsonValue, LoadedDataset, Snapshot, StoredTensor } from './contracts.ts'
export { debug } from './debug.ts'
export { describeRunError, type ExitCode, exitCodes, RunError } from './errors.ts'
export type { ClockValues, EndReason, Reporter, RunMode, TrainingEvent } from './events.ts'
export { dataset, metric, optimizer } from './holders.ts'
export * as kernels from './kernels.ts'
export { launch } from './launch.ts'
export { buffer, model, parameter } from './model.ts'
export { watchedCall, watchedOperator } from './probe.ts'
export { predict, type RunResult, test, train, validate } from './program.ts'
export type { Key } from './random.ts'
export * as random from './random.ts'
export { chooseReporter } from './report/choose.ts'
export { slices, stacked } from './slices.ts'
export type { RunOptions } from './start.ts'
export type {
  Batch,
  BufferSpec,
  Clocks,
  ClosureSpec,
  DatasetSpec,
  Descent,
  FieldSpec,
  HookSpec,
  HostVars,
  LogOptions,
  MetricHolder,
  MetricSpec,
  ModelHolder,
  Numbers,
  OptimizerGroupSpec,
  OptimizerHolder,
  OptimizerSpec,
  ParameterSpec,
  Phase,
  Run,
  SourceSpec,
  StepSpec,
  Tensors,
  Trace,
  TrainerOptions,
  Training,
} from './training.ts'
