/** One process writes to a run's folder, however many want to. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { RunError } from '../src/runtime/errors.ts'
import { lockFolder } from '../src/runtime/lock.ts'
import { temporaryFolder } from './kit/trainings.ts'

const test = suite('lock')

/** A folder with a lock that says this of its holder. */
function lockedBy(holder: object | string): string {
  const folder = temporaryFolder()
  writeFileSync(join(folder, 'lock'), typeof holder === 'string' ? holder : JSON.stringify(holder))
  return folder
}

function refusal(folder: string): RunError {
  try {
    lockFolder(folder)
  } catch (error) {
    if (error instanceof RunError) return error
    throw error
  }
  return assert.unreachable('the lock was given to two') as never
}

const holder = { host: hostname(), start: null, time: '2026-01-02T03:04:05.000Z' }

/** The number of a process that has ended. */
async function deadProcess(): Promise<number> {
  const child = spawn(process.execPath, ['-e', ''])
  await once(child, 'close')
  return child.pid!
}

test('is kept from another process while its holder lives, and is given back', () => {
  const folder = temporaryFolder()
  const lock = lockFolder(folder)
  assert.is(JSON.parse(readFileSync(join(folder, 'lock'), 'utf8')).pid, process.pid)
  const { code, message, exitCode } = refusal(folder)
  assert.equal([code, exitCode], ['LTM6305', 3])
  assert.match(message, `process ${process.pid} writes to ${folder}`)
  lock.release()
  assert.equal(readdirSync(folder), [])
  lockFolder(folder).release()
})

test('is taken over from a process that is no more, or whose number another one has now', async () => {
  const stale = [
    { ...holder, pid: await deadProcess() },
    { ...holder, pid: process.pid, start: '1' },
    '',
    '{"pid": 1',
  ]
  for (const each of stale) {
    const folder = lockedBy(each)
    const lock = lockFolder(folder)
    assert.equal(readdirSync(folder), ['lock'])
    lock.release()
  }
})

test('of another machine counts until it is deleted', () => {
  const { message, help } = refusal(lockedBy({ ...holder, pid: 1, host: 'elsewhere' }))
  assert.match(message, 'process 1 on elsewhere writes to')
  assert.match(help!, /if that process is no more, delete .*lock/)
})

test('that another one has taken meanwhile is not given back', () => {
  const folder = temporaryFolder()
  const lock = lockFolder(folder)
  writeFileSync(join(folder, 'lock'), JSON.stringify({ ...holder, pid: 1, host: 'elsewhere' }))
  lock.release()
  assert.ok(existsSync(join(folder, 'lock')))
})

test('of a dead process goes to exactly one of those that take it over at once', async () => {
  const folder = lockedBy({ ...holder, pid: await deadProcess() })
  const go = join(temporaryFolder(), 'go')
  const program = `
import { existsSync } from 'node:fs'
import { lockFolder } from ${JSON.stringify(new URL('../src/runtime/lock.ts', import.meta.url).href)}
console.log('ready')
while (!existsSync(${JSON.stringify(go)})) {}
try { lockFolder(${JSON.stringify(folder)}); console.log('won') } catch (error) { console.log(error.code) }
process.stdin.on('end', () => process.exit()).resume()
`
  const args = ['--import', import.meta.resolve('tsx'), '--input-type=module', '-e', program]
  const racers = Array.from({ length: 4 }, () => {
    const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] })
    const lines = createInterface(child.stdout)[Symbol.asyncIterator]()
    return { child, line: async () => String((await lines.next()).value) }
  })
  assert.equal(await Promise.all(racers.map(({ line }) => line())), Array(4).fill('ready'))
  writeFileSync(go, '')
  // The winner holds it until all have tried.
  const outcomes = await Promise.all(racers.map(({ line }) => line()))
  assert.equal(outcomes.sort(), ['LTM6305', 'LTM6305', 'LTM6305', 'won'])
  for (const { child } of racers) child.stdin.end()
  await Promise.all(racers.map(({ child }) => once(child, 'close')))
  assert.equal(readdirSync(folder), [])
})

test.run()
