/** `ltm check --fix`: what it repairs, what it leaves alone, and what it says. */
import { spawnSync } from 'node:child_process'
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'

const test = suite<{ folder: string }>('fix')
const main = fileURLToPath(new URL('../dist/src/cli/main.js', import.meta.url))

test.before.each(context => {
  context.folder = mkdtempSync(join(tmpdir(), 'ltm-fix-'))
})
test.after.each(context => rmSync(context.folder, { recursive: true, force: true }))

function fix(folder: string, ...args: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, 'check', '--fix', ...args], {
    cwd: folder,
    encoding: 'utf8',
    env: { ...process.env, NO_COLOR: '1' },
  })
  return { status, stdout, stderr }
}

test('safe repairs are made in place, round after round, and named', ({ folder }) => {
  const path = join(folder, 'a.ltm')
  writeFileSync(path, `# habits\nfn f(x: f32[n]) -> f32[n] = 1 + if 'a' == 'b' then 1 else x ** 2\n`)
  chmodSync(path, 0o640)
  const { status, stdout, stderr } = fix(folder, 'a.ltm')
  assert.match(
    readFileSync(path, 'utf8'),
    '// habits\nfn f(x: f32[n]) -> f32[n] = 1 + (if "a" == "b" then 1 else x ^ 2)\n',
  )
  assert.equal(stdout.split('\n').filter(line => line.startsWith('fixed a.ltm:')).length, 5)
  assert.match(stdout, 'fixed a.ltm:1:1: Write `//`\n')
  assert.match(stdout, 'No problems in a.ltm.\n')
  assert.equal([status, stderr], [0, ''])
  assert.is(statSync(path).mode & 0o777, 0o640)
})

test('what has no safe repair is reported as it stands, and other files are not touched', ({ folder }) => {
  const wrong = 'fn f(x: f32[n]) -> f32[n] = sotfplus(x)\n'
  const imported = 'fn g(x: f32[n]) -> f32[n] = x ** 2\n'
  writeFileSync(join(folder, 'a.ltm'), `import { g } from "./b.ltm"\n${wrong}`)
  writeFileSync(join(folder, 'b.ltm'), imported)
  const { status, stdout, stderr } = fix(folder, 'a.ltm')
  assert.equal([status, stdout], [1, ''])
  assert.match(stderr, 'b.ltm:1:31')
  assert.is(readFileSync(join(folder, 'b.ltm'), 'utf8'), imported)
})

test('a file that is not there, and options that do not go together', ({ folder }) => {
  assert.is(fix(folder, 'none.ltm').status, 1)
  assert.match(fix(folder, '--json', 'none.ltm').stderr, '--fix and --json do not go together')
})

test.run()
