/** A run that goes on from a checkpoint ends as the run that never ended, bit for bit. */
import { cpSync } from 'node:fs'
import { basename, join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { loadCheckpoint } from '../src/runtime/checkpoint.ts'
import type { Reporter } from '../src/runtime/events.ts'
import { train } from '../src/runtime/program.ts'
import type { RunOptions } from '../src/runtime/start.ts'
import type { Training } from '../src/runtime/training.ts'
import { everything, lastingState } from './kit/everything.ts'
import { temporaryFolder } from './kit/trainings.ts'

const test = suite('resume')

const backend = process.env.LTM_TEST_BACKEND ?? 'cpu'

/** Runs to the end; returns all that its last checkpoint holds but times and paths. */
async function finalState(training: Training, options: RunOptions): Promise<unknown> {
  const { folder } = await train(training, { backend, runs: temporaryFolder(), ...options })
  return lastingState(await loadCheckpoint(join(folder!, 'checkpoints', 'latest')))
}

test('at every batch of training and validation', async () => {
  const training = await everything()
  const copies: string[] = []
  const store = temporaryFolder()
  const reporter: Reporter = event => {
    if (event.kind !== 'checkpoint_saved') return
    const copy = join(store, `${copies.length}`, basename(event.path))
    cpSync(event.path, copy, { recursive: true })
    copies.push(copy)
  }
  const straight = await finalState(training, { saveEvery: 0, reporter })
  assert.ok(copies.length > 50, `only ${copies.length} moments`)
  for (const checkpoint of copies) {
    const resumed = await finalState(training, { saveEvery: 3600, checkpoint })
    assert.equal(resumed, straight, checkpoint)
  }
})

test.run()
