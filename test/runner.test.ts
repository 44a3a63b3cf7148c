import { readdirSync, readFileSync } from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { closingLine, notesIn, outcomeOf } from './kit/outcome.ts'

const test = suite('runner')

const summary = (total: number, passed: number, skipped = 0) =>
  ` x  • •   (${passed} / ${total})\n\n  Total:     ${total}\n  Passed:    ${passed}\n  Skipped:   ${skipped}\n  Duration:  1ms\n\n`

test('a file whose tests pass', () => {
  assert.equal(outcomeOf({ output: summary(3, 3), code: 0, signal: null }), {
    passed: 3,
    failed: 0,
    problem: undefined,
  })
})

test('a file with a failing test', () => {
  assert.equal(outcomeOf({ output: summary(3, 1), code: 1, signal: null }), {
    passed: 1,
    failed: 2,
    problem: undefined,
  })
})

test('a crash, a hang, no test and a test left out are failures of the file', () => {
  assert.equal(outcomeOf({ output: 'SyntaxError', code: 1, signal: null }), {
    passed: 0,
    failed: 1,
    problem: 'crashed with exit code 1',
  })
  assert.is(outcomeOf({ output: summary(3, 3), code: 7, signal: null }).failed, 1)
  assert.is(outcomeOf({ output: '', code: null, signal: 'SIGTERM' }).problem, 'ended by SIGTERM')
  assert.is(outcomeOf({ output: '', code: 0, signal: null }).problem, 'ran no test')
  assert.is(outcomeOf({ output: summary(0, 0), code: 0, signal: null }).failed, 1)
  assert.is(outcomeOf({ output: summary(2, 2, 1), code: 0, signal: null }).problem, 'left out 1 test')
})

test('of several closing lines the last one counts', () => {
  assert.is(outcomeOf({ output: summary(9, 1) + summary(2, 2), code: 0, signal: null }).passed, 2)
})

test('what a file says of tests that it can not run is shown', () => {
  const output = `note: no Python here\n${summary(1, 1)}`
  assert.equal(notesIn(output), ['note: no Python here'])
  assert.is(outcomeOf({ output, code: 0, signal: null }).failed, 0)
})

test('the closing line adds up', () => {
  const outcomes = [
    { passed: 3, failed: 0, problem: undefined },
    { passed: 2, failed: 4, problem: 'crashed' },
  ]
  assert.is(closingLine(outcomes), '5 passed, 4 failed')
  assert.is(closingLine([]), '0 passed, 0 failed')
})

/** What a test file must not do, each with the words that show it. */
function defects(text: string): readonly string[] {
  const suites = [...text.matchAll(/^const (\w+) = suite(?:<.*>)?\(/gm)].map(match => match[1] ?? '')
  return [
    ...(suites.length === 0 ? ['declares no suite'] : []),
    ...suites
      .filter(name => !new RegExp(`^${name}\\.run\\(\\)$`, 'm').test(text))
      .map(name => `never calls ${name}.run()`),
    ...suites
      .filter(name => new RegExp(`\\b${name}\\.(only|skip)\\(`).test(text))
      .map(name => `leaves tests of ${name} out`),
  ]
}

test('every test file runs every suite it declares', () => {
  const folder = new URL('.', import.meta.url)
  const files = readdirSync(folder).filter(name => name.endsWith('.test.ts'))
  const found = files.flatMap(name =>
    defects(readFileSync(new URL(name, folder), 'utf8')).map(defect => `${name} ${defect}`),
  )
  assert.ok(files.includes('runner.test.ts'))
  assert.equal(found, [])
})

test('the check of test files finds each defect', () => {
  const declared = "const test = suite('x')\n"
  assert.equal(defects(''), ['declares no suite'])
  assert.equal(defects(declared), ['never calls test.run()'])
  assert.equal(defects(`${declared}test${'.only'}('a', f)\ntest.run()\n`), ['leaves tests of test out'])
  assert.equal(defects(`${declared}test.run()\n`), [])
})

test.run()
