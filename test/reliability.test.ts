/** What a run has saved is good whatever ends it: a kill, a disk without room, a place where nothing may be written. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { killAgainAndAgain, line } from './kit/killing.ts'
import { built, ltm } from './kit/process.ts'

const test = suite<{ folder: string }>('reliability')

test.before.each(context => {
  context.folder = mkdtempSync(join(tmpdir(), 'ltm-reliability-'))
})
test.after.each(({ folder }) => rmSync(folder, { recursive: true, force: true }))

for (const [engine, seed] of [
  ['eager', 11],
  ['compiled', 12],
] as const)
  test(`${engine}: killed at some moments, and going on, it ends as the run that was left alone`, async ({
    folder,
  }) => {
    const counts = await killAgainAndAgain({ engine, folder, kills: 3, epochs: 3, seed })
    assert.equal(counts.wrong, [], line(counts))
    assert.ok(counts.finished >= 1)
  })

const program = `
train Fit {
  hyper length: int = 2
  param w: f32[20000] = fill(1)
  optimizer sgd = Sgd([w], lr: 0.1)
  step train() { minimize loss = mean(w ^ 2) }
  trainer { epochs: length, seed: 1 }
}
`

const weights = (folder: string, version: string) =>
  readFileSync(join(folder, 'runs/Fit', version, 'checkpoints/latest/weights.safetensors'))

test('where no more can be written a run ends and says so, what was saved stands, and it goes on from that', async ({
  folder,
}) => {
  writeFileSync(join(folder, 'a.ltm'), program)
  assert.is((await ltm(['run', 'a.ltm', '--backend', 'cpu'], folder)).code, 0)
  const before = weights(folder, 'v1')
  // Files of 32 KiB at most: those of the run fit, the weights do not. Without the signal the write fails.
  const limited = `trap '' XFSZ; ulimit -f 32; exec "$0" "$@"`
  const args = [built, 'run', 'a.ltm', '--resume', '--length', '4']
  const { status, stderr } = spawnSync('bash', ['-c', limited, process.execPath, ...args], {
    cwd: folder,
    encoding: 'utf8',
    env: { ...process.env, NO_COLOR: '1' },
  })
  assert.is(status, 3, stderr)
  assert.match(
    stderr,
    /LTM6504\]: checkpoint `latest` could not be saved in runs\/Fit\/v2\/checkpoints: the file is larger than this disk allows\n.*checkpoints saved before are untouched/,
  )
  assert.equal(weights(folder, 'v1'), before)
  assert.equal(readdirSync(join(folder, 'runs/Fit/v2')).includes('lock'), false)
  const again = await ltm(['run', 'a.ltm', '--resume', '--length', '4'], folder)
  assert.is(again.code, 0, again.err)
  await ltm(['run', 'a.ltm', '--length', '4', '--backend', 'cpu', '--runs', 'straight/runs'], folder)
  assert.equal(weights(folder, 'v3'), weights(join(folder, 'straight'), 'v1'))
})

test('a place where nothing may be written is told before anything is trained', async ({ folder }) => {
  writeFileSync(join(folder, 'a.ltm'), program)
  // The one refuses folders, the other says that there is nothing to put them in.
  for (const place of ['/sys/ltm', '/proc/ltm']) {
    const { code, out, err } = await ltm(['run', 'a.ltm', '--backend', 'cpu', '--runs', place], folder)
    assert.is(code, 3)
    assert.match(err, `LTM6303]: can't write a folder for this run in ${place}/Fit: `)
    assert.match(err, 'name another place by --runs')
    assert.not.match(out, 'epoch')
  }
})

test.run()
