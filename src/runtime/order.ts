import { permutation, rootKey } from './random.ts'

/** The order in which the rows of a dataset are dealt to its splits: a pure function of its arguments. */
export function splitOrder(seed: number, dataset: string, rows: number): Int32Array {
  return permutation(rootKey(seed, 'data', dataset, 'split'), rows)
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
