import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { expectFile, orphans } from './kit/cases.ts'

const test = suite('expectations')
let folder = ''
const path = (name: string) => join(folder, name)
const { LTM_BLESS, CI } = process.env

test.before.each(() => {
  folder = mkdtempSync(join(tmpdir(), 'ltm-cases-'))
})

test.after.each(() => {
  setEnvironment({ LTM_BLESS, CI })
  rmSync(folder, { recursive: true, force: true })
})

function setEnvironment(values: Readonly<Record<string, string | undefined>>): void {
  for (const [name, value] of Object.entries(values)) {
    if (value === undefined) delete process.env[name]
    else process.env[name] = value
  }
}

/** What a failing expectation says; `assert.throws` lets failed assertions through. */
function failure(run: () => void): Error {
  try {
    run()
  } catch (error) {
    if (error instanceof Error) return error
  }
  throw new Error('Nothing has failed.')
}

const comparing = { LTM_BLESS: undefined, CI: undefined }
const blessing = { LTM_BLESS: '1', CI: undefined }

test('a missing expectation fails, and is not written', () => {
  setEnvironment(comparing)
  const { message } = failure(() => expectFile(path('expected.txt'), 'new'))
  assert.match(message, /expected\.txt is missing; LTM_BLESS=1 writes it/)
  assert.not(existsSync(path('expected.txt')))
})

test('another text fails, and the expectation stays', () => {
  setEnvironment(comparing)
  writeFileSync(path('expected.txt'), 'old')
  assert.match(failure(() => expectFile(path('expected.txt'), 'new')).message, /expects something else/)
  assert.is(readFileSync(path('expected.txt'), 'utf8'), 'old')
})

test('the same text passes, whatever ends its lines', () => {
  setEnvironment(comparing)
  writeFileSync(path('expected.txt'), 'one\r\ntwo\r\n')
  expectFile(path('expected.txt'), 'one\ntwo\n')
})

test('LTM_BLESS=1 writes an expectation, in folders that are not there yet', () => {
  setEnvironment(blessing)
  expectFile(path('deep/expected/a.txt'), 'new\r\n')
  assert.is(readFileSync(path('deep/expected/a.txt'), 'utf8'), 'new\n')
})

test('a build server refuses LTM_BLESS=1, and changes nothing', () => {
  setEnvironment({ LTM_BLESS: '1', CI: 'true' })
  writeFileSync(path('expected.txt'), 'old')
  for (const text of ['new', 'old'])
    assert.match(failure(() => expectFile(path('expected.txt'), text)).message, /refused where CI is set/)
  assert.is(readFileSync(path('expected.txt'), 'utf8'), 'old')
})

test('expectations that no test looks at are found, in folders of that name too', () => {
  setEnvironment(blessing)
  mkdirSync(path('case/expected/inner'), { recursive: true })
  expectFile(path('case/expected/seen.txt'), 'seen')
  writeFileSync(path('case/input.txt'), '')
  writeFileSync(path('case/unexpected.txt'), '')
  orphans(folder)
  for (const name of ['case/expected/lost.txt', 'case/expected/inner/lost.txt', 'case/expected.ir']) {
    writeFileSync(path(name), '')
    const error = failure(() => orphans(folder))
    assert.ok(error instanceof assert.Assertion && String(error.actual).endsWith(name))
    rmSync(path(name))
  }
  orphans(folder)
})

test.run()
