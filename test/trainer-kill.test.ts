import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { newestCheckpoint } from '../src/runtime/checkpoint.ts'
import type { TrainingEvent } from '../src/runtime/events.ts'
import { train } from '../src/runtime/program.ts'
import { type LineOptions, lineTraining, quietly, temporaryFolder, value } from './kit/trainings.ts'

const kill = suite('trainer killed')

const options: LineOptions = {
  ...{ x: [1, 2, 3, 4, 5, 6, 7], y: [3, 1, 4, 1, 5, 9, 2], batch: 2, rate: 1e-4, shuffle: true },
  trainer: { epochs: 1_000_000 },
}

const file = (path: string) => JSON.stringify(new URL(path, import.meta.url).href)
const training = `lineTraining(${JSON.stringify(options)}).training`
const programs = {
  /** As a person runs it: few of its epochs are saved. */
  launched: `
import { launch } from ${file('../src/runtime/index.ts')}
import { lineTraining } from ${file('kit/trainings.ts')}
await launch(${training}, import.meta.url)
`,
  /** As one runs it who saves after each batch. */
  saving: `
import { stdout } from 'node:process'
import { train } from ${file('../src/runtime/index.ts')}
import { jsonReporter } from ${file('../src/runtime/report/jsonl.ts')}
import { lineTraining } from ${file('kit/trainings.ts')}
await train(${training}, { backend: 'cpu', saveEvery: 0, reporter: jsonReporter(stdout) })
`,
}

interface Ended {
  readonly folder: string
  readonly code: number | null
  readonly events: readonly TrainingEvent[]
}

/** Trains in a process of its own, which gets the signal some time after its third epoch. */
async function endWith(
  signal: NodeJS.Signals,
  delay: number,
  program: keyof typeof programs,
): Promise<Ended> {
  const folder = temporaryFolder()
  writeFileSync(join(folder, 'line.mjs'), programs[program])
  const args = ['--import', import.meta.resolve('tsx'), 'line.mjs', '--backend', 'cpu', '--json']
  const child = spawn(process.execPath, args, { cwd: folder, stdio: ['ignore', 'pipe', 'ignore'] })
  let text = ''
  let sent = false
  child.stdout.setEncoding('utf8').on('data', (part: string) => {
    text += part
    if (sent || text.split('"epoch_end"').length <= 3) return
    sent = true
    void setTimeout(delay).then(() => child.kill(signal))
  })
  const code = await new Promise<number | null>(resolve => child.on('close', resolve))
  const whole = text.split('\n').slice(0, -1)
  return { folder: join(folder, 'runs', 'Line', 'v1'), code, events: whole.map(line => JSON.parse(line)) }
}

/** Goes on from the newest checkpoint for two epochs and compares with a run that never ended; says where it was. */
async function assertGoesOn({ folder }: Ended): Promise<number> {
  const { newest, skipped } = await newestCheckpoint(join(folder, 'checkpoints'))
  assert.equal(skipped, [])
  assert.ok(newest !== undefined)
  const { state } = newest.snapshot
  const epochs = JSON.parse(JSON.stringify(state)).position.epoch + 2
  const resumed = lineTraining({ ...options, trainer: { epochs } })
  const straight = lineTraining({ ...options, trainer: { epochs } })
  const result = await train(resumed.training, quietly({ checkpoint: newest.path, acceptChanges: true }))
  await train(straight.training, quietly())
  assert.is(result.clocks.batches, epochs * 4)
  assert.is(await value(resumed.line.w), await value(straight.line.w))
  return epochs - 2
}

kill('Ctrl-C finishes the batch, saves, and says so by the exit code', async () => {
  const ended = await endWith('SIGINT', 0, 'launched')
  assert.is(ended.code, 130)
  const last = ended.events.at(-1)
  assert.ok(last?.kind === 'run_end' && last.reason === 'interrupted')
  await assertGoesOn(ended)
})

kill('kill -9 loses no more than the batch under way where each is saved', async () => {
  for (const delay of [0, 7, 23]) {
    const ended = await endWith('SIGKILL', delay, 'saving')
    assert.is(ended.code, null)
    const told = ended.events.filter(event => event.kind === 'epoch_end').length
    assert.ok((await assertGoesOn(ended)) >= told)
  }
})

kill('kill -9 leaves what was saved before, the first epoch at least', async () => {
  const ended = await endWith('SIGKILL', 0, 'launched')
  assert.is(ended.code, null)
  assert.ok((await assertGoesOn(ended)) >= 1)
})

kill.run()
