import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { newestCheckpoint, saveCheckpoint } from '../src/runtime/checkpoint.ts'
import type { Snapshot } from '../src/runtime/contracts.ts'

const killing = suite('checkpoints survive kill -9')
const folder = mkdtempSync(join(tmpdir(), 'ltm-kill-'))
const saver = fileURLToPath(new URL('kit/saver.ts', import.meta.url))

/** Runs the saver, kills it some time after its first save has begun, and returns the last count that it told. */
async function killAfter(milliseconds: number): Promise<number> {
  const child = spawn(process.execPath, ['--import', 'tsx', saver, folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let told = ''
  child.stdout.on('data', chunk => {
    told += chunk
  })
  await once(child.stdout, 'data')
  await wait(milliseconds)
  child.kill('SIGKILL')
  await once(child, 'close')
  return Number(told.trim().split('\n').at(-1)) || 0
}

/** The one number that everything in a consistent checkpoint says. */
function countIn(snapshot: Snapshot): number {
  assert.equal([...snapshot.tensors.keys()], ['weights/net.weight', 'slots/adam/m/net.weight'])
  const [count, ...others] = new Set([...snapshot.tensors.values()].flatMap(({ data }) => [...new Set(data)]))
  assert.equal(others, [])
  assert.equal(JSON.stringify(snapshot.state), JSON.stringify({ count }))
  return count!
}

/** Seeded, so that a failure can be repeated (Park and Miller's generator). */
function delays(count: number): readonly number[] {
  let state = 20_240
  return Array.from({ length: count }, () => {
    state = (state * 48_271) % 2_147_483_647
    return state % 120
  })
}

killing('at any moment, the newest checkpoint is whole and no older than the last one told', async () => {
  let leftovers = 0
  for (const delay of delays(20)) {
    const told = await killAfter(delay)
    leftovers += readdirSync(folder).filter(name => name.startsWith('.')).length
    const { newest, skipped } = await newestCheckpoint(folder)
    assert.equal(skipped, [])
    if (newest === undefined) assert.is(told, 0)
    else assert.ok(countIn(newest.snapshot) >= told, `${countIn(newest.snapshot)} after ${told}`)
  }
  assert.ok(leftovers > 0, 'no kill fell into a save: the test shows nothing')
})

killing('the next save clears away what the kills left', async () => {
  const { newest } = await newestCheckpoint(folder)
  for (const name of ['latest', 'third']) await saveCheckpoint(folder, name, newest!.snapshot)
  assert.equal(readdirSync(folder).sort(), ['latest', 'third'])
})

killing.after(() => rmSync(folder, { recursive: true, force: true }))
killing.run()
