import { opNames } from '../ops/index.ts'
import { intrinsics } from './intrinsics.ts'
import { entryOf } from './tensors.ts'

/** What reads columns means something in a dataset alone. */
export const columnCalls: readonly string[] = ['columns', 'column', 'array', 'tokenize', 'encode']

/** And so does what a dataset learns of them. */
export const datasetCalls: readonly string[] = [...columnCalls, 'standardize', 'vocabulary']

/** The names by which primitive operators and intrinsic functions are called. */
export const entriesByCall: readonly string[] = [
  ...new Set([
    ...opNames.flatMap(name => {
      const call = entryOf(name).call ?? name
      return call === false ? [] : [call]
    }),
    ...Object.keys(intrinsics).filter(name => !datasetCalls.includes(name)),
  ]),
]
