/** `ltm tune`: the range test of learning rates, what it suggests, and that nothing comes of it but a plot; how large a batch may be. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { svgOf, textPlot } from '../src/cli/plot.ts'
import { type Attempt, fastest, largestThatFits, trySizes } from '../src/cli/tune/sizes.ts'
import { type RateTrial, steepest } from '../src/runtime/rateFinder.ts'
import { ltm } from './kit/process.ts'

const test = suite<{ folder: string }>('tune')

test.before.each(context => {
  context.folder = mkdtempSync(join(tmpdir(), 'ltm-tune-'))
})
test.after.each(({ folder }) => rmSync(folder, { recursive: true, force: true }))

const program = `
train Fit {
  hyper lr: float = 0.1
  hyper other: float = 0.5
  param w: f32[8] = fill(1)
  optimizer sgd = Sgd([w], lr: RATE)
  step train() { minimize mean(w ^ 2) + 0 * other }
  on train_batch_end { print "a hook of the program" }
  trainer { epochs: 3, seed: 1 }
}
`

async function trialsOf(folder: string, rate: string, ...args: readonly string[]) {
  writeFileSync(join(folder, 'a.ltm'), program.replace('RATE', rate))
  const { code, out, err } = await ltm(['tune', 'a.ltm', '--backend', 'cpu', '--json', ...args], folder)
  assert.ok(code === 0 || code === 3, err)
  const found: {
    readonly hyper: string
    readonly trials: readonly RateTrial[]
    readonly suggestion?: number
    readonly end: string
  } = JSON.parse(out)
  return found
}

test('rates grow by equal factors, one a batch, and the loss is that of gradient descent at these', async ({
  folder,
}) => {
  const { hyper, trials, end } = await trialsOf(folder, 'lr', '--from', '0.01', '--to', '1')
  assert.is(hyper, 'lr')
  assert.is(end, 'tried all')
  assert.is(trials.length, 100)
  let w = 1
  for (const [i, { rate, loss }] of trials.entries()) {
    assert.ok(Math.abs(rate / (0.01 * 100 ** (i / 100)) - 1) < 1e-9)
    assert.ok(Math.abs(loss - w * w) < 1e-5, `batch ${i}: ${loss}, not ${w * w}`)
    w -= (rate * 2 * w) / 8
  }
})

test('a schedule is left out of it, and a factor is kept', async ({ folder }) => {
  const plain = await trialsOf(folder, 'lr', '--from', '0.01')
  const scheduled = await trialsOf(folder, 'lr * min(update / 1000, 1)', '--from', '0.01')
  assert.equal(
    scheduled.trials.map(({ loss }) => loss),
    plain.trials.map(({ loss }) => loss),
  )
  const halved = await trialsOf(folder, 'lr / 2', '--from', '0.02', '--to', '2')
  assert.ok(Math.abs((halved.trials[50]?.loss ?? 0) - (plain.trials[50]?.loss ?? 0)) < 1e-5)
})

test('it stops where the loss is so many times its least, or not finite', async ({ folder }) => {
  const diverged = await trialsOf(folder, 'lr', '--from', '0.1', '--to', '1e4')
  assert.is(diverged.end, 'diverged')
  const { trials } = diverged
  const least = Math.min(...trials.slice(0, -1).map(({ smoothed }) => smoothed))
  assert.ok((trials.at(-1)?.smoothed ?? 0) > 4 * least)
  assert.ok((diverged.suggestion ?? 0) > 0.1 && (diverged.suggestion ?? 9) < 8)
  const infinite = await trialsOf(folder, 'lr', '--to', '1e38', '--stop-at', '1e300', '--steps', '20')
  assert.is(infinite.end, 'not finite')
})

test('what falls fastest is not what is noisy', () => {
  const trial = (i: number): RateTrial => {
    const smoothed = 2 - 1 / (1 + Math.exp((60 - i) / 4)) + (i % 2) * 0.03
    return { rate: 10 ** (i / 20 - 5), loss: smoothed, smoothed }
  }
  const trials = Array.from({ length: 100 }, (_, i) => trial(i))
  const found = trials.findIndex(({ rate }) => rate === steepest(trials))
  assert.ok(Math.abs(found - 60) <= 2, `${found}`)
  assert.is(steepest(trials.map(each => ({ ...each, smoothed: each.rate }))), undefined)
})

test('nothing comes of it but a plot, and a command to go on with', async ({ folder }) => {
  writeFileSync(join(folder, 'a.ltm'), program.replace('RATE', 'lr'))
  const { code, out, err } = await ltm(['tune', 'a.ltm', '--backend', 'cpu', '--from', '0.01'], folder)
  assert.is(code, 0, err)
  assert.match(out, /suggested: lr = [\d.]+, where the loss falls fastest\n {2}ltm run a\.ltm --lr [\d.]+/)
  assert.not.match(out, 'a hook of the program')
  assert.equal(readdirSync(join(folder, 'runs/Fit')), ['tune-lr.svg'])
  assert.match(readFileSync(join(folder, 'runs/Fit/tune-lr.svg'), 'utf8'), /^<svg [\s\S]*<\/svg>\n$/)
})

test('the hyper is the one that decides an `lr`; where several or none do, it says so', async ({
  folder,
}) => {
  writeFileSync(join(folder, 'a.ltm'), program.replace('RATE', '0.1'))
  const none = await ltm(['tune', 'a.ltm'], folder)
  assert.is(none.code, 2)
  assert.match(none.err, 'no hyper of `Fit` decides the `lr` of an optimizer\nDeclare one')
  writeFileSync(join(folder, 'a.ltm'), program.replace('RATE', 'lr * other'))
  const several = await ltm(['tune', 'a.ltm'], folder)
  assert.match(
    several.err,
    'several hypers decide the `lr` of an optimizer: `lr`, `other`\nSay which with --hyper NAME.',
  )
  const wrong = await ltm(['tune', 'a.ltm', '--hyper', 'rate'], folder)
  assert.match(wrong.err, 'the hyper `rate` does not decide the `lr`')
  assert.is((await ltm(['tune', 'a.ltm', '--from', '2'], folder)).code, 2)
  assert.not.ok(existsSync(join(folder, 'runs')))
})

// ── Batches ─────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Memory grows with the size, and speed up to a point. */
const model =
  (most: number, all: number) =>
  async (size: number): Promise<Attempt> =>
    size > most
      ? { kind: 'too large', why: 'it is' }
      : {
          kind: 'fits',
          examples: Math.min(size, all),
          whole: size >= all,
          seconds: Math.max(1, size / 40),
          memory: size,
        }

const range = { kind: 'range', from: 2, to: 8192 } as const

test('batches double until one is too large or has all examples; halving the gap comes within a twentieth', async () => {
  const doubled = await trySizes(range, 'power', model(100, 1e6))
  assert.equal(
    doubled.map(({ size }) => size),
    [2, 4, 8, 16, 32, 64, 128],
  )
  assert.is(largestThatFits(doubled)?.size, 64)
  assert.is(fastest(doubled)?.size, 64)
  const halved = await trySizes(range, 'binary', model(100, 1e6))
  assert.equal(halved.map(({ size }) => size).slice(-6), [64, 96, 100, 104, 112, 128])
  assert.is(largestThatFits(halved)?.size, 100)
  const all = await trySizes(range, 'binary', model(1e6, 50))
  assert.equal([all.length, all.at(-1)?.size, largestThatFits(all)?.size], [6, 64, 64])
  const chosen = await trySizes({ kind: 'choice', values: [100, 8, 30] }, 'binary', model(60, 1e6))
  assert.equal(
    chosen.map(({ size }) => size),
    [8, 30, 100],
  )
})

test('a size that does not compile is passed over, another fault ends the search, and one that is too large at once too', async () => {
  const even = async (size: number): Promise<Attempt> =>
    size % 4 === 0 ? model(100, 1e6)(size) : { kind: 'refused', why: 'not a multiple of 4' }
  assert.is(largestThatFits(await trySizes(range, 'power', even))?.size, 64)
  const failing = await trySizes(range, 'power', async () => ({ kind: 'failed', why: 'no', said: 'no' }))
  assert.is(failing.length, 1)
  const none = await trySizes({ ...range, from: 512 }, 'binary', model(100, 1e6))
  assert.equal([none.length, largestThatFits(none), fastest(none)], [1, undefined, undefined])
})

const growing = `
dataset Points from synthetic(count: 4096) {
  field x: f32 = index / 4096
  split train: 1
}
train Wide {
  hyper examples: int = 8
  hyper width: int = 30000
  data points = Points(batch: examples)
  param w: f32[width] = fill(0.001)
  optimizer sgd = Sgd([w], lr: 0.1)
  step train(batch) { minimize mean((batch.x[.., _] * w[_, ..] - 1) ^ 2) }
  on train_batch_end { print "a hook of the program" }
  trainer { epochs: 2, validate: 1 epochs }
}
`

test('each size is tried in a process that may take too much, and nothing is left of it', async ({
  folder,
}) => {
  writeFileSync(join(folder, 'a.ltm'), growing)
  const args = ['tune', 'a.ltm', '--find', 'batch', '--backend', 'cpu', '--from', '64', '--steps', '2']
  const limited = await ltm([...args, '--width', '60000', '--memory', '600MiB', '--json'], folder)
  assert.is(limited.code, 0, limited.err)
  const { hyper, largest, tried, fastest } = JSON.parse(limited.out)
  assert.is(hyper, 'examples')
  assert.is(tried.at(-1).kind, 'too large', limited.out)
  assert.is(largest, tried.at(-2).size)
  assert.ok(fastest <= largest)
  assert.ok(tried.at(-2).memory > tried[0].memory)
  assert.equal([tried[0].examples, tried[0].whole], [64, false])
  const small = await ltm([...args.slice(0, -4), '--from', '2048', '--width', '2', '--to', '4096'], folder)
  assert.is(small.code, 0, small.err)
  assert.match(
    small.out,
    /4096 .* all 4,096 examples\n\nlargest that fits into \S+ \S+: examples = 4096\nfastest/,
  )
  assert.not.match(small.out, 'a hook of the program')
  assert.equal(readdirSync(folder), ['a.ltm'])
  const tight = await ltm([...args, '--memory', '1MiB'], folder)
  assert.equal(
    [tight.code, tight.out.split('\n').at(-2)],
    [3, 'no examples that was tried fits into 1.00 MiB'],
  )
})

test('what has no batch to find, or fails otherwise, is told', async ({ folder }) => {
  writeFileSync(join(folder, 'a.ltm'), growing.replace('batch: examples', 'batch: 8'))
  const none = await ltm(['tune', 'a.ltm', '--find', 'batch'], folder)
  assert.is(none.code, 2)
  assert.match(none.err, 'no hyper of `Wide` decides the batch of the data that it trains on\nDeclare one')
  writeFileSync(
    join(folder, 'a.ltm'),
    growing.replace('synthetic(count: 4096)', 'csv("none.csv")').replace('index / 4096', 'column(0)'),
  )
  const missing = await ltm(['tune', 'a.ltm', '--find', 'batch', '--to', '2'], folder)
  assert.is(missing.code, 1)
  assert.match(missing.err, 'none.csv')
})

test('plots have round numbers on their axes, and leave out what has no place on them', () => {
  const plot = {
    title: 'a < b',
    x: { label: 'rate', scale: 'log' },
    y: { label: 'loss', scale: 'linear' },
    series: [
      {
        kind: 'line',
        points: [
          [1e-4, 1],
          [1e-2, 0.5],
          [1, Number.NaN],
        ],
      },
    ],
    marks: [{ at: [1e-2, 0.5], text: 'here' }],
  } as const
  const svg = svgOf(plot)
  for (const text of ['a &#60; b', '>0.001<', '>0.01<', '>0.6<', '>here<'])
    assert.ok(svg.includes(text), text)
  assert.not.match(svg, 'NaN')
  assert.equal(textPlot(plot, 17, 3), [
    '  1 │•',
    '    │',
    '0.5 │                ◆',
    '    └─────────────────',
    '     1e-4  rate   0.01',
  ])
})

test.run()
