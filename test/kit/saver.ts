/**
 * Saves checkpoints without end, each filled with one counter, and tells each finished one on stdout. It goes on from
 * the newest one that is there. `test/kill.test.ts` kills it at any moment and looks at what is left.
 */
import { writeSync } from 'node:fs'
import { argv } from 'node:process'
import { newestCheckpoint, saveCheckpoint } from '../../src/runtime/checkpoint.ts'
import type { Snapshot } from '../../src/runtime/contracts.ts'

/** Large enough that a kill often falls into the writing of a file. */
const elements = 200_000

/** A checkpoint in which everything says `count`. */
function filledWith(count: number): Snapshot {
  const tensor = {
    dtype: 'float32',
    shape: [elements],
    data: new Float32Array(elements).fill(count),
  } as const
  return {
    tensors: new Map([
      ['weights/net.weight', tensor],
      ['slots/adam/m/net.weight', tensor],
    ]),
    state: { count },
  }
}

const folder = argv[2]!
const { newest } = await newestCheckpoint(folder)
const start = newest?.snapshot.tensors.get('weights/net.weight')?.data[0] ?? 0
writeSync(1, 'ready\n')
for (let count = start + 1; ; count++) {
  await saveCheckpoint(folder, 'latest', filledWith(count))
  if (count % 3 === 0) await saveCheckpoint(folder, 'third', filledWith(count))
  writeSync(1, `${count}\n`)
}
