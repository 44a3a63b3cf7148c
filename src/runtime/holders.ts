import type {
  DatasetSpec,
  MetricHolder,
  MetricSpec,
  OptimizerHolder,
  OptimizerSpec,
  Tensors,
} from './training.ts'

/** Declares an optimizer; its slots are made when a run starts. */
export function optimizer(spec: OptimizerSpec): OptimizerHolder {
  return { spec }
}

/** Declares a metric; its states belong to the run. */
export function metric<S extends Tensors>(spec: MetricSpec<S>): MetricHolder<S> {
  return { spec }
}

/** Declares a dataset; it is read when a run starts. */
export function dataset(spec: DatasetSpec): DatasetSpec {
  return spec
}
