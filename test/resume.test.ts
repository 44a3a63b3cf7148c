/** A run that goes on from a checkpoint ends as the run that never ended: bit for bit on one engine, nearly on the other. */
import { cpSync, existsSync, readFileSync } from 'node:fs'
import { basename, dirname, join, relative } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Engine } from '../src/cli/engine.ts'
import type { Reporter } from '../src/runtime/events.ts'
import { apart } from './kit/apart.ts'
import { comparable, type End, runToEnd } from './kit/ends.ts'
import type { Engined } from './kit/engines.ts'
import { everything } from './kit/everything.ts'
import { temporaryFolder } from './kit/trainings.ts'

const test = suite('resume')

const engines = ['eager', 'compiled'] as const

const runs = new Map<Engine, ReturnType<typeof watched>>()

/** The same on an engine: it runs once for all tests, which go on from copies. */
function watchedOn(engine: Engine): ReturnType<typeof watched> {
  const known = runs.get(engine) ?? everything(engine).then(watched)
  runs.set(engine, known)
  return known
}

/** A run that is saved whenever it can be, and the folder as it was at each of these moments, without its lock. */
async function watched(engined: Engined): Promise<{ end: End; moments: readonly string[] }> {
  const store = temporaryFolder()
  const moments: string[] = []
  const reporter: Reporter = event => {
    if (event.kind !== 'checkpoint_saved') return
    const folder = dirname(dirname(event.path))
    const copy = join(store, `${moments.length}`, 'Everything', 'v1')
    cpSync(folder, copy, { recursive: true, filter: path => basename(path) !== 'lock' })
    moments.push(join(copy, 'checkpoints', event.name))
  }
  const end = await runToEnd(engined, { runs: temporaryFolder(), saveEvery: 0, reporter })
  return { end, moments }
}

for (const engine of engines) {
  test(`${engine}: at every batch of training and of validation, in the same folder and with the same records`, async () => {
    const engined = await everything(engine)
    const { end, moments } = await watchedOn(engine)
    const latest = moments.filter(path => basename(path) === 'latest')
    assert.ok(latest.length > 50, `only ${latest.length} moments`)
    for (const moment of latest) {
      const { checkpoint, runs } = copyOf(moment)
      const resumed = await runToEnd(engined, { saveEvery: 3600, checkpoint, runs })
      assert.equal(resumed.state, end.state, checkpoint)
      assert.equal(resumed.records, end.records, checkpoint)
      assert.is(resumed.folder, join(runs, 'Everything', 'v1'))
      assert.not(existsSync(join(runs, 'Everything', 'v2')))
    }
  })

  test(`${engine}: from what hooks and \`keep\` have saved, which is no longer the newest, in a new folder`, async () => {
    const engined = await everything(engine)
    const { end, moments } = await watchedOn(engine)
    const others = [...new Set(moments.map(path => basename(path)))].filter(name => name !== 'latest')
    assert.ok(
      others.includes('pair-1') &&
        others.includes('batch-14') &&
        others.some(name => name.startsWith('best-epoch-')),
      others.join(),
    )
    const last = join(copyOf(moments.at(-1)!).checkpoint, '..')
    for (const name of others.filter(each => existsSync(join(last, each)))) {
      const before = readFileSync(join(last, '../records.jsonl'), 'utf8')
      const checkpoint = join(last, name)
      const runs = join(last, '../../..')
      const resumed = await runToEnd(engined, { saveEvery: 3600, checkpoint, runs })
      assert.equal(resumed.state, end.state, checkpoint)
      assert.equal(resumed.records, end.records, checkpoint)
      assert.is.not(basename(resumed.folder), 'v1')
      assert.is(readFileSync(join(last, '../records.jsonl'), 'utf8'), before)
    }
  })
}

/** The engines sum in other orders, and an update of Adam is a quotient of sums. */
const between = 1e-3

for (const [first, then] of [
  ['eager', 'compiled'],
  ['compiled', 'eager'],
] as const)
  test(`${then} goes on from every fourth batch of ${first} and ends nearly as it would have`, async () => {
    const { end, moments } = await watchedOn(first)
    const other = await everything(then)
    const latest = moments.filter(path => basename(path) === 'latest').filter((_, i) => i % 4 === 0)
    for (const moment of latest) {
      const resumed = await runToEnd(other, { saveEvery: 3600, ...copyOf(moment) })
      assert.is(apart(comparable(end), comparable(resumed), between), undefined, moment)
    }
  })

/** The runs of a moment, and the checkpoint in them, to be gone on with. */
function copyOf(moment: string): { readonly runs: string; readonly checkpoint: string } {
  const [from, runs] = [join(moment, '../../../..'), temporaryFolder()]
  cpSync(from, runs, { recursive: true })
  return { runs, checkpoint: join(runs, relative(from, moment)) }
}

test.run()
