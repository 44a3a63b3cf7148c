/** `ltm fmt` as a command: which files it takes, what it leaves alone, and how it ends. */
import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'

const test = suite<{ folder: string }>('fmt')
const main = fileURLToPath(new URL('../dist/src/cli/main.js', import.meta.url))

test.before.each(context => {
  context.folder = mkdtempSync(join(tmpdir(), 'ltm-fmt-'))
})
test.after.each(context => rmSync(context.folder, { recursive: true, force: true }))

function fmt(folder: string, ...args: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, 'fmt', ...args], {
    cwd: folder,
    encoding: 'utf8',
    env: { ...process.env, NO_COLOR: '1' },
  })
  return { status, stdout, stderr }
}

const loose = 'const  A:int=3\n'
const tidy = 'const A: int = 3\n'

test('files are formatted in place, below folders but not where runs and packages lie', ({ folder }) => {
  for (const name of ['models', 'node_modules', 'runs', '.hidden']) mkdirSync(join(folder, name))
  const files = ['a.ltm', 'models/b.ltm', 'node_modules/c.ltm', 'runs/d.ltm', '.hidden/e.ltm', 'f.txt']
  for (const name of files) writeFileSync(join(folder, name), loose)
  chmodSync(join(folder, 'a.ltm'), 0o640)
  assert.equal(fmt(folder), { status: 0, stdout: 'formatted a.ltm\nformatted models/b.ltm\n', stderr: '' })
  assert.equal(
    files.map(name => readFileSync(join(folder, name), 'utf8')),
    [tidy, tidy, loose, loose, loose, loose],
  )
  assert.is(statSync(join(folder, 'a.ltm')).mode & 0o777, 0o640)
  assert.equal(fmt(folder), { status: 0, stdout: '2 files are formatted.\n', stderr: '' })
})

test('--check changes nothing and fails where something is to be formatted', ({ folder }) => {
  writeFileSync(join(folder, 'a.ltm'), loose)
  writeFileSync(join(folder, 'b.ltm'), tidy)
  assert.equal(fmt(folder, '--check', 'a.ltm', 'b.ltm'), {
    status: 1,
    stdout: 'not formatted: a.ltm\n',
    stderr: '`ltm fmt` formats 1 file.\n',
  })
  assert.is(readFileSync(join(folder, 'a.ltm'), 'utf8'), loose)
  assert.is(fmt(folder, '--check', 'b.ltm').status, 0)
})

test('a file with a syntax error is left alone, and the others are not', ({ folder }) => {
  writeFileSync(join(folder, 'a.ltm'), 'const A = \n')
  writeFileSync(join(folder, 'b.ltm'), loose)
  const { status, stderr } = fmt(folder, 'a.ltm', 'b.ltm', 'missing.ltm')
  assert.is(status, 1)
  assert.match(stderr, /error\[LTM1\d+\]/)
  assert.match(stderr, /error\[LTM0001\]/)
  assert.is(readFileSync(join(folder, 'a.ltm'), 'utf8'), 'const A = \n')
  assert.is(readFileSync(join(folder, 'b.ltm'), 'utf8'), tidy)
})

test('a folder without programs says so', ({ folder }) => {
  assert.equal(fmt(folder), { status: 1, stdout: '', stderr: 'error: there is no `.ltm` file here\n' })
})

test.run()
