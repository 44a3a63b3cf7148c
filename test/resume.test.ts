/** A run that goes on from a checkpoint ends as the run that never ended, bit for bit. */
import { cpSync, existsSync, readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { loadCheckpoint } from '../src/runtime/checkpoint.ts'
import type { Reporter } from '../src/runtime/events.ts'
import { train } from '../src/runtime/program.ts'
import type { RunOptions } from '../src/runtime/start.ts'
import type { Training } from '../src/runtime/training.ts'
import { everything, lastingRecords, lastingState } from './kit/everything.ts'
import { temporaryFolder } from './kit/trainings.ts'

const test = suite('resume')

const backend = process.env.LTM_TEST_BACKEND ?? 'cpu'

interface End {
  readonly folder: string
  /** All that its last checkpoint holds but times and paths. */
  readonly state: unknown
  /** Its records without seconds. */
  readonly records: readonly string[]
}

async function runToEnd(training: Training, options: RunOptions): Promise<End> {
  const { folder = '' } = await train(training, { backend, ...options })
  const state = lastingState(await loadCheckpoint(join(folder, 'checkpoints', 'latest')))
  return { folder, state, records: lastingRecords(readFileSync(join(folder, 'records.jsonl'), 'utf8')) }
}

/** A run that is saved whenever it can be, and the folder as it was at each of these moments, without its lock. */
async function watched(training: Training): Promise<{ end: End; moments: readonly string[] }> {
  const store = temporaryFolder()
  const moments: string[] = []
  const reporter: Reporter = event => {
    if (event.kind !== 'checkpoint_saved') return
    const folder = dirname(dirname(event.path))
    const copy = join(store, `${moments.length}`, 'Everything', 'v1')
    cpSync(folder, copy, { recursive: true, filter: path => basename(path) !== 'lock' })
    moments.push(join(copy, 'checkpoints', event.name))
  }
  const end = await runToEnd(training, { runs: temporaryFolder(), saveEvery: 0, reporter })
  return { end, moments }
}

test('at every batch of training and of validation, in the same folder and with the same records', async () => {
  const training = await everything()
  const { end, moments } = await watched(training)
  const latest = moments.filter(path => basename(path) === 'latest')
  assert.ok(latest.length > 50, `only ${latest.length} moments`)
  for (const checkpoint of latest) {
    const runs = join(checkpoint, '../../../..')
    const resumed = await runToEnd(training, { saveEvery: 3600, checkpoint, runs })
    assert.equal(resumed.state, end.state, checkpoint)
    assert.equal(resumed.records, end.records, checkpoint)
    assert.is(resumed.folder, join(runs, 'Everything', 'v1'))
    assert.not(existsSync(join(runs, 'Everything', 'v2')))
  }
})

test('from what hooks and `keep` have saved, which is no longer the newest, in a new folder', async () => {
  const training = await everything()
  const { end, moments } = await watched(training)
  const others = [...new Set(moments.map(path => basename(path)))].filter(name => name !== 'latest')
  assert.ok(
    others.includes('pair-1') &&
      others.includes('batch-14') &&
      others.some(name => name.startsWith('best-epoch-')),
    others.join(),
  )
  const last = join(moments.at(-1)!, '..')
  for (const name of others.filter(each => existsSync(join(last, each)))) {
    const before = readFileSync(join(last, '../records.jsonl'), 'utf8')
    const checkpoint = join(last, name)
    const runs = join(checkpoint, '../../../..')
    const resumed = await runToEnd(training, { saveEvery: 3600, checkpoint, runs })
    assert.equal(resumed.state, end.state, checkpoint)
    assert.equal(resumed.records, end.records, checkpoint)
    assert.is.not(basename(resumed.folder), 'v1')
    assert.is(readFileSync(join(last, '../records.jsonl'), 'utf8'), before)
  }
})

test.run()
