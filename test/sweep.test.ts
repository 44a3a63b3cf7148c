/** `ltm sweep`: which values are tried, that the best are found, and that a sweep that was stopped goes on. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ranked } from '../src/cli/sweep/plan.ts'
import { drawn, gridOf, randomOf, type Varied } from '../src/cli/sweep/space.ts'
import { type Outcome, readOutcomes, writeOutcome } from '../src/cli/sweep/trials.ts'
import { ltm } from './kit/process.ts'

const test = suite<{ folder: string }>('sweep')

test.before.each(context => {
  context.folder = mkdtempSync(join(tmpdir(), 'ltm-sweep-'))
})
test.after.each(({ folder }) => rmSync(folder, { recursive: true, force: true }))

const space: readonly Varied[] = [
  { name: 'lr', type: 'float', domain: { kind: 'log_range', values: [1e-4, 1] } },
  { name: 'width', type: 'int', domain: { kind: 'range', values: [2, 10] } },
  { name: 'kind', type: 'string', domain: { kind: 'choice', values: ['a', 'b'] } },
]

test('a grid has the ends of each range and all choices, on the scale of the range', () => {
  const grid = gridOf(space, 3)
  assert.is(grid.length, 3 * 3 * 2)
  assert.equal([...new Set(grid.map(({ lr }) => lr))], ['0.0001', '0.01', '1'])
  assert.equal([...new Set(grid.map(({ width }) => width))], ['2', '6', '10'])
  assert.equal(grid[1], { lr: '0.0001', width: '2', kind: 'b' })
})

test('random values are those of the seed, within their ranges, and spread over their scale', () => {
  const draw = (seed: number) => {
    const random = randomOf(seed)
    return Array.from({ length: 200 }, () => drawn(space, random))
  }
  assert.equal(draw(3), draw(3))
  assert.not.equal(draw(3), draw(4))
  const values = draw(3)
  assert.ok(
    values.every(
      ({ lr, width }) => Number(lr) >= 1e-4 && Number(lr) <= 1 && /^([2-9]|10)$/.test(width ?? ''),
    ),
  )
  const small = values.filter(({ lr }) => Number(lr) < 1e-2).length
  assert.ok(small > 70 && small < 130, `${small} of 200 lie in the lower half of the scale`)
})

test('the best come first, equal ones in their order, those without a value last', () => {
  const outcome = (trial: number, value?: number): Outcome => ({
    ...{ trial, hypers: {}, epochs: 1, rung: 0, seconds: 1 },
    ...(value !== undefined && { value }),
  })
  const all = [outcome(0), outcome(1, 2), outcome(2, 1), outcome(3, 2)]
  const order = (direction: 'min' | 'max') =>
    ranked(all, { metric: 'm', direction }).map(({ trial }) => trial)
  assert.equal(order('min'), [2, 1, 3, 0])
  assert.equal(order('max'), [1, 3, 2, 0])
})

test('a line that was cut off is left out, and what follows it is not lost', ({ folder }) => {
  const outcome: Outcome = { trial: 0, hypers: { lr: '1' }, epochs: 1, rung: 0, value: 2, seconds: 1 }
  writeOutcome(folder, outcome)
  writeFileSync(join(folder, 'trials.jsonl'), `${JSON.stringify(outcome)}\n{"trial":1,"hyp`)
  writeOutcome(folder, { ...outcome, trial: 2 })
  assert.equal(
    readOutcomes(folder).map(({ trial }) => trial),
    [0, 2],
  )
})

const program = `
train Fit {
  hyper lr: float in log_range(0.01, 1.0) = 0.1
  hyper fault: float in choice(0.0, 1.0) = 0.0
  param w: f32[4] = fill(1)
  optimizer sgd = Sgd([w], lr: lr)
  step train() { minimize loss = mean(w ^ 2) / (1 - fault) }
  trainer { epochs: 4, seed: 1, keep: best(min: train.loss) }
}
`
const quick = ['--backend', 'cpu', '--parallel', '2']

function outcomesIn(folder: string, name = 'sweep'): readonly Outcome[] {
  return readOutcomes(join(folder, 'runs/Fit', name))
}

test('a grid: each trial trains with its values, one that fails says why, and the best is told', async ({
  folder,
}) => {
  writeFileSync(join(folder, 'a.ltm'), program)
  const { code, out, err } = await ltm(
    ['sweep', 'a.ltm', '--method', 'grid', '--points', '2', ...quick],
    folder,
  )
  assert.is(code, 0, err)
  const outcomes = outcomesIn(folder).toSorted((a, b) => a.trial - b.trial)
  assert.equal(
    outcomes.map(({ hypers }) => hypers),
    [
      { lr: '0.01', fault: '0' },
      { lr: '0.01', fault: '1' },
      { lr: '1', fault: '0' },
      { lr: '1', fault: '1' },
    ],
  )
  // Gradient descent on a mean of four squares: each step takes lr/2 of w away; the loss is that before the step.
  const lossAfter = (lr: number) => (1 - lr / 2) ** (2 * 3)
  assert.ok(Math.abs((outcomes[0]?.value ?? 0) - lossAfter(0.01)) < 1e-5)
  assert.ok(Math.abs((outcomes[2]?.value ?? 0) - lossAfter(1)) < 1e-5)
  assert.match(outcomes[1]?.failure ?? '', 'the loss is Infinity')
  assert.match(out, 'best: trial 3\n  ltm run a.ltm --lr 1 --fault 0')
  assert.match(out, /trial 2 failed: the loss is Infinity/)
  assert.match(readFileSync(join(folder, 'runs/Fit/sweep/by-lr.svg'), 'utf8'), '<circle')
  const again = await ltm(['sweep', 'a.ltm', '--method', 'grid', '--points', '2', ...quick], folder)
  assert.match(again.out, 'going on after 4 that are done')
  assert.is(outcomesIn(folder).length, 4)
  const other = await ltm(['sweep', 'a.ltm', '--trials', '2', ...quick], folder)
  assert.is(other.code, 2)
  assert.match(other.err, 'holds a sweep that was asked for otherwise\nAsk as before')
  writeFileSync(
    join(folder, 'a.ltm'),
    `// Comments change nothing.\n${program.replace('w ^ 2', '2 * w ^ 2')}`,
  )
  const edited = await ltm(['sweep', 'a.ltm', '--method', 'grid', '--points', '2', ...quick], folder)
  assert.is(edited.code, 2)
  assert.match(edited.err, 'since then it has been edited: `step train` is another\nUndo that')
})

test('halving trains the best on from where they were, and one that was killed goes on', async ({
  folder,
}) => {
  writeFileSync(join(folder, 'a.ltm'), program)
  const args = ['sweep', 'a.ltm', '--method', 'halving', '--trials', '3', '--fault', '0', ...quick]
  const first = await ltm(args, folder)
  assert.is(first.code, 0, first.err)
  const whole = outcomesIn(folder)
  assert.equal(whole.map(({ rung, epochs }) => `${rung}: ${epochs}`).toSorted(), [
    '0: 1',
    '0: 1',
    '0: 1',
    '1: 4',
  ])
  const last = whole.find(({ rung }) => rung === 1)
  assert.ok(last)
  // Of three, the one with the largest rate falls fastest; at the first epoch all have the same loss, so the first goes on.
  assert.is(last?.trial, 0)
  const lr = Number(last?.hypers.lr)
  assert.ok(Math.abs((last?.value ?? 0) - (1 - lr / 2) ** 6) < 1e-5)
  // As if it had been killed before the last trial came to its end.
  const path = join(folder, 'runs/Fit/sweep/trials.jsonl')
  const lines = readFileSync(path, 'utf8').split('\n')
  writeFileSync(path, `${lines.slice(0, 3).join('\n')}\n{"trial":`)
  rmSync(join(folder, 'runs/Fit/sweep/trial-1'), { recursive: true })
  assert.is((await ltm(args, folder)).code, 0)
  assert.is(outcomesIn(folder).find(({ rung }) => rung === 1)?.value, last?.value)
})

test('trials share the processors, and the advice names all that a run needs', async ({ folder }) => {
  const two = `${program}\n${program.slice(program.indexOf('train Fit')).replace('train Fit', 'train Other')}`
  writeFileSync(join(folder, 'two trains.ltm'), two)
  const args = ['--train', 'Other', '--trials', '2', '--parallel', '2', '--fault', '0', '--backend', 'auto']
  const { code, out, err } = await ltm(['sweep', 'two trains.ltm', ...args], folder)
  assert.is(code, 0, err)
  assert.match(out, /\n {2}ltm run 'two trains\.ltm' --train Other --fault 0 --lr [\d.e-]+\n/)
  const run = JSON.parse(readFileSync(join(folder, 'runs/Other/sweep/trial-2/Other/v1/run.json'), 'utf8'))
  const share = Math.max(1, Math.floor(availableParallelism() / 2))
  const shown = share === 1 ? 'one processor' : `${share} processors`
  assert.is(run.environment.device, `ONNX Runtime on ${shown}`)
})

test('a name that nothing logs ends a sweep with its first trial', async ({ folder }) => {
  writeFileSync(join(folder, 'a.ltm'), program)
  const { code, out, err } = await ltm(
    ['sweep', 'a.ltm', '--metric', 'train.los', '--fault', '0', ...quick],
    folder,
  )
  assert.is(code, 2)
  assert.match(err, 'no step of the program logs `train.los`\nDid you mean `--metric train.loss`?')
  assert.not.match(out, 'failed')
  assert.is(
    (await ltm(['sweep', 'a.ltm', '--metric', 'train.loss', '--fault', '0', ...quick], folder)).code,
    0,
  )
})

test('what can not be swept is refused before anything runs', async ({ folder }) => {
  writeFileSync(join(folder, 'a.ltm'), program.replace(', keep: best(min: train.loss)', ''))
  const goal = await ltm(['sweep', 'a.ltm'], folder)
  assert.is(goal.code, 2)
  assert.match(goal.err, 'nothing says which trial of `Fit` is best\nSay it with --metric')
  const fixed = await ltm(['sweep', 'a.ltm', '--lr', '1', '--fault', '0', '--metric', 'train.loss'], folder)
  assert.match(fixed.err, 'no hyper of `Fit` has a range to vary it in')
  assert.is((await ltm(['sweep', 'a.ltm', '--trials', '0'], folder)).code, 2)
})

test.run()
