import { existsSync, mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { trainedCheckpoint } from '../src/cli/checkpoints.ts'
import { test as testTraining } from '../src/runtime/program.ts'
import { besideExamples, exampleTraining } from './kit/examples.ts'
import { type Ended, endOf, ltm } from './kit/process.ts'

const kill = suite('examples killed')

/** Large batches make short epochs, so that a kill falls into any part of one. */
const options = ['examples/digits/digits.ltm', '--batch_size', '256', '--backend', 'wasm', '--json']

/** When to kill: so many events after the start of the run, and then so many milliseconds. */
interface Moment {
  readonly events: number
  readonly delay: number
}

/** Seeded, so that a failure can be repeated (Park and Miller's generator). An epoch has about ten events. */
function moments(count: number): readonly Moment[] {
  let state = 7_919
  const below = (limit: number) => {
    state = (state * 48_271) % 2_147_483_647
    return state % limit
  }
  return Array.from({ length: count }, () => ({ events: 3 + below(20), delay: below(200) }))
}

/** Trains until the moment has come. */
function killAt({ events, delay }: Moment, folder: string, resumed: readonly string[]): Promise<Ended> {
  let seen = 0
  return ltm(['run', ...options, ...resumed], folder, (_, child) => {
    seen += 1
    if (seen === events) void wait(delay).then(() => child.kill('SIGKILL'))
  })
}

kill('whenever `ltm run` is killed, what it had saved can be tested and gone on from', () =>
  besideExamples(async folder => {
    const runs = join(folder, 'runs')
    const temporary = join(folder, 'temporary')
    mkdirSync(temporary)
    const { TMPDIR: before } = process.env
    process.env.TMPDIR = temporary
    const training = await exampleTraining('digits', { batch_size: '256' })
    const latest: string[] = []
    for (const moment of moments(10)) {
      const resumed = latest.length > 0 ? ['--resume', latest.at(-1)!] : []
      const { code, events, err } = await killAt(moment, folder, resumed)
      assert.equal([code, err.includes('internal error')], [null, false], err)
      const saved = events.flatMap(event => (event.kind === 'checkpoint_saved' ? [event.path] : []))
      latest.push(...saved.filter(path => path.endsWith('latest')).map(path => join(folder, path)))
      if (latest.length === 0) continue
      const { path: checkpoint, skipped } = await trainedCheckpoint(runs, training.name)
      assert.equal(skipped, [])
      const { metrics } = await testTraining(training, { backend: 'wasm', runs: false, checkpoint })
      assert.ok(Number.isFinite(metrics['test.loss']))
    }
    if (before === undefined) delete process.env.TMPDIR
    else process.env.TMPDIR = before
    assert.equal(readdirSync(temporary), [], 'what was killed leaves nothing behind')
    assert.ok(latest.length > 2, 'hardly any kill came after a save: the test shows nothing')
    const tested = await ltm(['test', ...options], folder)
    assert.equal([tested.code, tested.err], [0, ''])
    assert.ok(Number.isFinite(endOf(tested).metrics['test.loss']))
  }),
)

kill('Ctrl-C saves the run and says so by the exit code', () =>
  besideExamples(async folder => {
    const interrupted = await ltm(['run', ...options], folder, (event, child) => {
      if (event.kind === 'epoch_end' && event.epoch === 1) child.kill('SIGINT')
    })
    assert.is(interrupted.code, 130)
    const { reason, checkpoint } = endOf(interrupted)
    assert.is(reason, 'interrupted')
    assert.ok(checkpoint !== undefined && existsSync(join(folder, checkpoint)))
    const saved = interrupted.events.flatMap(event =>
      event.kind === 'checkpoint_saved' && event.reason === 'interrupted' ? [event.name] : [],
    )
    assert.equal(saved, ['latest'])
    const tested = await ltm(['test', ...options, '--checkpoint', checkpoint], folder)
    assert.is(tested.code, 0)
    assert.ok(Number.isFinite(endOf(tested).metrics['test.accuracy']))
  }),
)

kill.run()
