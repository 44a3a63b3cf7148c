/** `ltm tune`: the range test of learning rates, what it suggests, and that nothing comes of it but a plot. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { svgOf, textPlot } from '../src/cli/plot.ts'
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
