/** What people do with checkpoints at the command line: look at them, and go on from them. */
import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { lockFolder } from '../src/runtime/lock.ts'
import { type Ended, ltm } from './kit/process.ts'
import { temporaryFolder } from './kit/trainings.ts'

const test = suite('checkpoints at the command line')

const program = (loss = '(net.weight - batch.x) ^ 2', rate = 'lr', accumulate = '1') => `
dataset Points from csv("points.csv") {
  field x: f32 = column(0)
  split train: 0.75, val: 0.25
}
module Point() { param weight: f32 in positive = 0.5 }
train Fit {
  hyper lr: float = 0.1
  hyper length: int = 2
  data points = Points(batch: 1)
  model net = Point()
  optimizer adam = Adam(net, lr: ${rate})
  step train(batch) { minimize loss = ${loss} }
  step val(batch) { log loss = (net.weight - batch.x) ^ 2 }
  trainer { epochs: length, accumulate: ${accumulate}, keep: best(min: val.loss) }
}
`

const template = temporaryFolder()

test.before(async () => {
  writeFileSync(join(template, 'points.csv'), '1\n2\n3\n4\n')
  writeFileSync(join(template, 'fit.ltm'), program())
  const { code, err } = await ltm(['run', 'fit.ltm', '--backend', 'cpu', '--lr', '0.2'], template)
  assert.equal([code, err], [0, ''])
})

/** A folder with a program that has been trained for two epochs, and the command line in it. */
async function trained(
  visit: (run: (...args: string[]) => Promise<Ended>, folder: string) => Promise<void>,
): Promise<void> {
  const folder = temporaryFolder()
  cpSync(template, folder, { recursive: true })
  await visit((...args) => ltm(args, folder), folder)
}

const checkpoints = 'runs/Fit/v1/checkpoints'

/** Changes one byte in the middle of a file. */
function damage(path: string): void {
  const bytes = readFileSync(path)
  const at = bytes.length >> 1
  bytes[at] = (bytes[at] ?? 0) ^ 1
  writeFileSync(path, bytes)
}

test('show tells where the run was and what it holds; a run stands for its newest', () =>
  trained(async run => {
    const shown = await run('checkpoint', 'show', 'runs/Fit/v1')
    assert.is(shown.code, 0)
    assert.match(shown.out, /^runs\/Fit\/v1\/checkpoints\/latest\n/)
    assert.match(
      shown.out,
      /program {3}Fit in fit\.ltm\n {2}settings {2}lr 0\.2000, length 2\n {2}at {8}epoch 3, after 6 batches, 6 examples/,
    )
    assert.match(shown.out, /weights +elements +mean +spread +least +greatest\n {2}net\.weight {2}f32 +1 /)
    assert.match(shown.out, /slots of adam: m +1 +1\n/)
    assert.match(shown.out, /last logged\n {2}train\.loss /)
    const { state, tensors } = JSON.parse((await run('checkpoint', 'show', 'runs/Fit/v1', '--json')).out)
    assert.is(state.clocks.batches, 6)
    assert.equal(
      tensors.map(({ name }: { name: string }) => name),
      [...['weights/net.weight', 'slots/adam/m/net.weight', 'slots/adam/v/net.weight', 'values/net.weight']],
    )
  }))

test('diff tells tensors and places of the state, and by its exit code whether there are any', () =>
  trained(async run => {
    const same = await run('checkpoint', 'diff', 'runs/Fit/v1', `${checkpoints}/latest`)
    assert.equal([same.code, same.out], [0, 'all 4 tensors and the state are the same, bit for bit\n'])
    assert.is((await run('run', 'fit.ltm', '--lr', '0.3', '--backend', 'cpu')).code, 0)
    const other = await run('checkpoint', 'diff', 'runs/Fit/v1', 'runs/Fit/v2')
    assert.is(other.code, 1)
    assert.match(other.out, /tensor +type +elements +at most +relative\n {2}weights\/net\.weight +f32 +1 /)
    assert.match(other.out, /program\.settings\.lr +0\.2000 +0\.3000\n/)
    const { state } = JSON.parse(
      (await run('checkpoint', 'diff', 'runs/Fit/v1', 'runs/Fit/v2', '--json')).out,
    )
    assert.equal(state[0], { place: 'program.hypers.lr', first: '0.2', second: '0.3' })
  }))

test('verify finds a changed byte, and what else is whole', () =>
  trained(async (run, folder) => {
    const whole = await run('checkpoint', 'verify', 'runs')
    assert.equal([whole.code, whole.out.split('\n').at(-2)], [0, '2 checkpoints, every byte as it was saved'])
    damage(join(folder, checkpoints, 'latest', 'weights.safetensors'))
    const found = await run('checkpoint', 'verify', 'runs')
    assert.is(found.code, 1)
    assert.match(found.out, /^whole {4}runs\/Fit\/v1\/checkpoints\/best: 4 tensors\n/)
    assert.match(
      found.out,
      /\ndamaged {2}runs\/Fit\/v1\/checkpoints\/latest is damaged: weights\.safetensors has changed/,
    )
    assert.match(found.out, /\n1 of 2 checkpoints damaged: latest\n$/)
    const nothing = await run('checkpoint', 'verify', 'points.csv')
    assert.is(nothing.code, 1)
    assert.match(nothing.err, /LTM0008/)
  }))

test('a damaged checkpoint is passed over, and said to be', () =>
  trained(async (run, folder) => {
    damage(join(folder, checkpoints, 'latest', 'state.json'))
    const { code, out } = await run('run', 'fit.ltm', '--resume', '--backend', 'cpu')
    assert.is(code, 0)
    assert.match(
      out,
      /warning\[LTM6502\]: .*latest is damaged: state\.json has changed.*; runs\/Fit\/v1\/checkpoints\/best is taken instead/,
    )
    assert.match(out, /goes on at its end/)
    assert.equal(readdirSync(join(folder, 'runs/Fit')), ['v1'])
  }))

test('hypers count again; what was edited is listed, and goes on in a new folder where it is accepted', () =>
  trained(async (run, folder) => {
    const again = await run('run', 'fit.ltm', '--resume')
    assert.equal([again.code, again.err], [0, ''])
    writeFileSync(join(folder, 'points.csv'), '1\n2\n3\n4.5\n')
    writeFileSync(
      join(folder, 'fit.ltm'),
      `// A comment changes nothing.\n${program('abs(net.weight - batch.x)')}`,
    )
    const refused = await run('run', 'fit.ltm', '--resume', '--length', '3')
    assert.is(refused.code, 1)
    assert.match(
      refused.err,
      /LTM6306.*since runs\/Fit\/v1\/checkpoints\/latest was saved, this has changed:\n/,
    )
    const changes = [
      ...['`length` was 2 and is 3', '`epochs` of the trainer was 2 and is 3', '`step train` is another'],
      'the data file points.csv has changed: it had 8 bytes and has 10',
    ]
    assert.match(
      refused.err,
      `:\n${changes.map(change => `  ${change}\n`).join('')}  = help: \`--accept-changes\``,
    )
    assert.equal(readdirSync(join(folder, 'runs/Fit')), ['v1'])
    const accepted = await run('run', 'fit.ltm', '--resume', '--length', '3', '--accept-changes')
    assert.is(accepted.code, 0, accepted.err)
    for (const change of changes) assert.match(accepted.out, `changed since: ${change}\n`)
    assert.equal(readdirSync(join(folder, 'runs/Fit')), ['v1', 'v2'])
    const { resumed, program: kept } = JSON.parse(readFileSync(join(folder, 'runs/Fit/v2/run.json'), 'utf8'))
    assert.equal([kept.settings, resumed[0].changes], [{ lr: 0.2, length: 3 }, changes])
    assert.match(readFileSync(join(folder, 'runs/Fit/v1/program/fit.ltm'), 'utf8'), program())
  }))

test('a run that never asked how long it would be may be made longer, and is the longer run', () =>
  trained(async (run, folder) => {
    const longer = await run('run', 'fit.ltm', '--resume', '--length', '4')
    assert.is(longer.code, 0, longer.err)
    for (const line of [
      ...['goes on at epoch 3', 'changed since: `length` was 2 and is 4'],
      ...['changed since: `epochs` of the trainer was 2 and is 4', 'epoch 3/4 '],
    ])
      assert.match(longer.out, line)
    const given = ['--backend', 'cpu', '--lr', '0.2', '--length', '4']
    await run('run', 'fit.ltm', '--runs', 'straight', ...given)
    for (const file of ['weights.safetensors', 'optimizer.safetensors'])
      assert.equal(
        readFileSync(join(folder, 'runs/Fit/v2/checkpoints/latest', file)),
        readFileSync(join(folder, 'straight/Fit/v1/checkpoints/latest', file)),
      )
    const shorter = await run('run', 'fit.ltm', '--resume', '--length', '3')
    assert.is(shorter.code, 1)
    assert.match(shorter.err, '`epochs` of the trainer was 4 and is 3\n')
  }))

test('a run whose schedules count its updates is another when it is longer, and so it is by other windows', () =>
  trained(async (run, folder) => {
    const counting = program(undefined, 'lr * (1 - update / total_updates)', 'if epoch < 1 then 1 else 2')
    writeFileSync(join(folder, 'fit.ltm'), counting)
    const first = await run('run', 'fit.ltm', '--backend', 'cpu')
    assert.is(first.code, 0, first.err)
    writeFileSync(join(folder, 'fit.ltm'), counting.replace('epoch < 1', 'epoch < 2'))
    const refused = await run('run', 'fit.ltm', '--resume', '--length', '3')
    assert.is(refused.code, 1)
    assert.match(refused.err, '  `epochs` of the trainer was 2 and is 3, and `total_updates` with it\n')
    const windows = 'was "if epoch < 1 then 1 else 2" and is "if epoch < 2 then 1 else 2"'
    assert.match(refused.err, `  \`accumulate\` of the trainer ${windows}\n`)
  }))

test('a model of another shape is told by names and shapes', () =>
  trained(async (run, folder) => {
    const wide = program('(net.weight[0] - batch.x) ^ 2').replace('weight: f32 in', 'weight: f32[2] in')
    writeFileSync(
      join(folder, 'fit.ltm'),
      wide.replace('log loss = (net.weight -', 'log loss = (net.weight[0] -'),
    )
    const { code, err } = await run('run', 'fit.ltm', '--resume')
    assert.is(code, 1)
    assert.match(
      err,
      /LTM6301.*`train Fit` does not fit this program:\n {2}`net\.weight` is a number there and \[2\] here\n/,
    )
  }))

test('a run that another process writes to is left alone', () =>
  trained(async (run, folder) => {
    const lock = lockFolder(join(folder, 'runs/Fit/v1'))
    const { code, err } = await run('run', 'fit.ltm', '--resume')
    lock.release()
    assert.is(code, 3)
    assert.match(err, `LTM6305]: process ${process.pid} writes to`)
    assert.is((await run('run', 'fit.ltm', '--resume')).code, 0)
  }))

test.run()
