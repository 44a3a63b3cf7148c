import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { emitProgram } from '../src/compiler.ts'
import { printProgram } from '../src/ir/print.ts'
import { loadCheckpoint } from '../src/runtime/checkpoint.ts'
import { expectFile, orphans } from './kit/cases.ts'
import {
  besideExamples,
  commandsIn,
  compileIn,
  exampleNames,
  examples,
  inFolder,
  linesOf,
} from './kit/examples.ts'
import { near } from './kit/near.ts'
import { type Ended, endOf, ltm, root, typeErrors } from './kit/process.ts'

const test = suite('examples')

// ── What they become ────────────────────────────────────────────────────────────────────────────────────────────────

const emitted = exampleNames.map(name => {
  const program = compileIn(join(examples, name), name)
  const options = { runtime: 'ltm-lang/runtime', directory: 'import.meta.dirname' } as const
  return { name, program, text: emitProgram(program, { ...options, target: 'typescript' }) }
})

for (const { name, program, text } of emitted) {
  const expected = (file: string) => join(root, 'test/cases/examples', name, 'expected', file)
  test(`${name} compiles to the expected program`, () => {
    expectFile(expected('program.ir'), printProgram(program))
    expectFile(expected('program.ts'), text)
  })
}

test('no expectation is left over', () => orphans('examples'))

test('the generated programs pass the strict checker', () =>
  inFolder(async folder => {
    for (const { name, text } of emitted) writeFileSync(join(folder, `${name}.ts`), text)
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
    const config = {
      extends: join(root, 'tsconfig.json'),
      compilerOptions: {
        paths: { 'ltm-lang/runtime': [join(root, 'src/runtime/index.ts')] },
        typeRoots: [join(root, 'node_modules/@types')],
      },
      files: emitted.map(({ name }) => `${name}.ts`),
      include: [],
    }
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config))
    assert.is(await typeErrors(folder), '')
  }))

// ── What they come to ───────────────────────────────────────────────────────────────────────────────────────────────

/** The runs of an example's commands in order, and the folder that they ran in. */
type Outcome = (runs: readonly Ended[], folder: string) => void | Promise<void>

const outcomes: Readonly<Record<string, Outcome>> = {
  digits([trained, tested, predicted], folder) {
    const { metrics, reason } = endOf(trained!)
    assert.is(reason, 'finished')
    assert.ok(metrics['test.accuracy']! >= 0.97, `test accuracy ${metrics['test.accuracy']}`)
    assert.ok(metrics['val.accuracy']! >= 0.97, `validation accuracy ${metrics['val.accuracy']}`)
    const again = endOf(tested!).metrics
    assert.is(again['test.accuracy'], metrics['test.accuracy'])
    near([again['test.loss']!], [metrics['test.loss']!], 1e-5, 'test loss')
    assert.is(endOf(predicted!).reason, 'finished')
    const [head, ...digits] = linesOf(join(folder, 'digits.csv'))
    assert.equal([head, digits.length], ['digit', 180])
    assert.equal([...new Set(digits)].sort(), Array.from('0123456789'))
  },

  async mixture([trained], folder) {
    const { metrics, checkpoint } = endOf(trained!)
    // Expectation maximisation ends at 2.7814 from each species' own mean and deviation; 2.7835 is its other optimum.
    assert.ok(metrics['train.nll']! < 2.79, `nll ${metrics['train.nll']}`)
    const { tensors } = await loadCheckpoint(join(folder, checkpoint!))
    const weights = [...tensors.get('values/mixture.weight')!.data]
    assert.ok(weights.every(weight => weight > 0.2))
    near([sum(weights)], [1], 1e-6, 'sum of the weights')
    assert.ok([...tensors.get('values/mixture.scale')!.data].every(scale => scale > 0))
    const said = trained!.events.flatMap(event => (event.kind === 'message' ? [event.text] : []))
    assert.is(said.length, 1)
    assert.match(said[0]!, /^weights /)
    const [head, ...flowers] = linesOf(join(folder, 'flowers.csv'))
    assert.equal([head, flowers.length], ['species,component', 150])
    assert.ok(purity(flowers) >= 135, `${purity(flowers)} of 150 flowers are with their species`)
  },

  async earthquakes([trained], folder) {
    const { metrics, checkpoint } = endOf(trained!)
    // Zucchini and MacDonald 2009, table 4.2.
    near([metrics['train.nll']!], [328.5275], 0.05, 'nll')
    const { tensors } = await loadCheckpoint(join(folder, checkpoint!))
    near([...tensors.get('values/hmm.rate')!.data], [13.134, 19.713, 29.711], 0.05, 'rates')
    const move = [...tensors.get('values/hmm.move')!.data]
    near(
      [0, 3, 6].map(row => sum(move.slice(row, row + 3))),
      [1, 1, 1],
      1e-6,
      'sums of rows',
    )
    const [line] = linesOf(join(folder, 'states.jsonl'))
    const { state, count }: Readonly<Record<string, readonly number[]>> = JSON.parse(line!)
    const means = [0, 1, 2].map(one => moments(count!.filter((_, year) => state![year] === one)).mean)
    near(means, [13, 20, 30], 1.5, 'counts in each state')
  },

  nile([trained], folder) {
    // The global minimum, by SciPy from several starts: 125.7182 at 0.70597, 2.58876 and 0.68941.
    near([endOf(trained!).metrics['train.nll']!], [125.7182], 0.03, 'nll')
    const [head, ...lines] = linesOf(join(folder, 'nile.csv'))
    assert.equal([head, lines.length], ['year,mean,deviation', 110])
    const rows = lines.map(line => line.split(',').map(Number))
    near(rows[0]!, [1871, 1057, 68], 3, 'the first year')
    near(rows[109]!, [1980, 919.3, 118.8], 3, 'ten years after the last')
  },

  autoencoder([trained], folder) {
    const { metrics } = endOf(trained!)
    // The 8 principal components of all digits leave 0.0239.
    assert.ok(metrics['test.loss']! < 0.021, `test loss ${metrics['test.loss']}`)
    assert.is(linesOf(join(folder, 'codes.csv')).length, 1 + 359)
  },

  screening([trained]) {
    const { metrics } = endOf(trained!)
    assert.ok(metrics['val.auc.auroc']! > 0.98, `area ${metrics['val.auc.auroc']}`)
    near([metrics['val.auc.share']!], [0.37], 0.06, 'share of sick cases')
  },

  probability([trained]) {
    const { metrics, clocks } = endOf(trained!)
    assert.equal([clocks.updates, clocks.batches], [{ adam: 10_000 }, 10_000])
    near([metrics['train.p']!], [0.9], 1e-3, 'p')
    near([metrics['train.loss']!], [0], 1e-6, 'loss')
    const logged = trained!.events.flatMap(event =>
      event.kind === 'epoch_end' ? [event.values['train.p']!] : [],
    )
    assert.ok(logged.length > 10 && logged.every(p => p > 0 && p < 1))
    near([logged[0]!], [0.1], 1e-3, 'p after one update')
  },

  gan([trained, predicted], folder) {
    const { metrics } = endOf(trained!)
    near([metrics['train.critic_loss']!], [2 * Math.LN2], 0.2, 'critic loss')
    near([metrics['train.generator_loss']!], [Math.LN2], 0.3, 'generator loss')
    assert.is(endOf(predicted!).reason, 'finished')
    const [, ...lines] = linesOf(join(folder, 'wines.csv'))
    const wines: readonly (readonly [number, number])[] = lines.map(line => JSON.parse(JSON.parse(line)))
    assert.is(wines.length, 178)
    // Seeds differ by 0.2 in the means, 0.15 in the deviations, and from -0.43 to -0.61 in the correlation.
    const [intensity, hue] = [moments(wines.map(([x]) => x)), moments(wines.map(([, y]) => y))]
    near([intensity.mean, hue.mean], [0, 0], 0.3, 'means')
    near([intensity.deviation, hue.deviation], [1, 1], 0.3, 'deviations')
    const products = wines.map(([x, y]) => (x - intensity.mean) * (y - hue.mean))
    const correlation = moments(products).mean / (intensity.deviation * hue.deviation)
    near([correlation], [-0.52], 0.2, 'correlation')
  },
}

for (const name of exampleNames) {
  test(`${name}: the commands of its README do what it says`, () =>
    besideExamples(async folder => {
      const readme = readFileSync(join(examples, name, 'README.md'), 'utf8')
      const runs: Ended[] = []
      for (const [program, ...args] of commandsIn(readme)) {
        assert.is(program, 'ltm')
        const run = await ltm([...args, '--backend', 'wasm', '--json'], folder)
        assert.equal([run.code, run.err], [0, ''], args.join(' '))
        runs.push(run)
      }
      assert.ok(runs.length > 0 && outcomes[name], `what ${name} comes to is not tested`)
      await outcomes[name](runs, folder)
    }))
}

/** How many lines `species,component` are of the commonest species of their component. */
function purity(lines: readonly string[]): number {
  const counts = new Map<string, number>()
  for (const line of lines) counts.set(line, (counts.get(line) ?? 0) + 1)
  const best = new Map<string, number>()
  for (const [line, count] of counts) {
    const component = line.split(',')[1]!
    best.set(component, Math.max(best.get(component) ?? 0, count))
  }
  return sum([...best.values()])
}

function moments(values: readonly number[]): { readonly mean: number; readonly deviation: number } {
  const mean = sum(values) / values.length
  return { mean, deviation: Math.sqrt(sum(values.map(value => (value - mean) ** 2)) / values.length) }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}

test.run()
