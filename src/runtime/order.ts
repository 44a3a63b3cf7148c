import { type Key, permutation, rootKey } from './random.ts'

/** The order in which the rows of a dataset are dealt to its splits: a pure function of its arguments. */
export function splitOrder(seed: number, dataset: string, rows: number): Int32Array {
  return permutation(rootKey(seed, 'data', dataset, 'split'), rows)
}

/** The key of what is drawn for the fields of a dataset, once. */
export function fieldsKey(seed: number, dataset: string): Key {
  return rootKey(seed, 'data', dataset, 'fields')
}

/** The key of what is drawn for its training batches, in each epoch anew. */
export function augmentKey(seed: number, dataset: string, epoch: number): Key {
  return rootKey(seed, 'data', dataset, 'augment', epoch)
}

/** The order of a shuffled split in an epoch: a pure function of its arguments, so a resumed run has the same. */
export function epochOrder(
  seed: number,
  dataset: string,
  split: string,
  epoch: number,
  rows: number,
): Int32Array {
  return permutation(rootKey(seed, 'data', dataset, 'epoch', split, epoch), rows)
}
