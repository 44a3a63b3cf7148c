/**
 * How fast models are trained, against PyTorch and Lightning: `npm run bench training`. Names behind it choose parts
 * (`steps`, `start`, `digits`, `long`) and models (`mlp`, `conv`, `transformer`).
 * Each number is the median of several processes of their own, taken by turns; `LTM_DATA` may name a folder with MNIST
 * and a text, else the data is made up. `LTM_BENCH_REPEATS` says how many of each, 5 unless it is set.
 */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { machine, median } from './numbers.ts'
import {
  type Contestant,
  contestants,
  engineNames,
  hasPython,
  ltmRun,
  runPython,
  type Trained,
} from './training/contestants.ts'
import { workFolder } from './training/data.ts'
import { type Ended, follow } from './training/process.ts'

const repeats = Number(process.env.LTM_BENCH_REPEATS ?? 5)

/** Steps in all, and those at the beginning that are not measured. */
interface Length {
  readonly steps: number
  readonly skip: number
}

const lengths: Readonly<Record<string, Length>> = {
  mlp: { steps: 3300, skip: 300 },
  conv: { steps: 220, skip: 20 },
  transformer: { steps: 110, skip: 10 },
}

/** What runs operator by operator takes a tenth of these. */
const shorter = 10

interface Bench {
  readonly folder: string
  readonly models: readonly string[]
  readonly contestants: readonly Contestant[]
}

const parts: Readonly<Record<string, (bench: Bench) => Promise<void>>> = { steps, start, digits, long }

export async function bench(asked: readonly string[]): Promise<void> {
  const wrong = asked.find(name => !Object.hasOwn(lengths, name) && !Object.hasOwn(parts, name))
  if (wrong !== undefined) throw new Error(`there is no part and no model \`${wrong}\``)
  const { folder, data } = workFolder()
  try {
    console.log(`${machine()}. Data: ${data}.\n`)
    const all = contestants(folder, text => console.log(`${text}\n`))
    console.log('Not compared with TensorFlow.js Layers: its package is none of this project.\n')
    for (const name of chosenOf(asked, Object.keys(parts)))
      await parts[name]!({ folder, contestants: all, models: chosenOf(asked, Object.keys(lengths)) })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Those of `all` that are asked for, or all where none of them is. */
function chosenOf(asked: readonly string[], all: readonly string[]): readonly string[] {
  const chosen = all.filter(name => asked.includes(name))
  return chosen.length === 0 ? all : chosen
}

/** One result of each contestant a round, in turning order, so that a busy minute falls on all alike. */
async function byTurns<T>(
  names: readonly string[],
  rounds: number,
  once: (index: number) => Promise<T>,
): Promise<readonly (readonly T[])[]> {
  const results: T[][] = names.map(() => [])
  for (let round = 0; round < rounds; round++)
    for (let turn = 0; turn < names.length; turn++) {
      const index = (round + turn) % names.length
      results[index]!.push(await once(index))
    }
  return results
}

// ── From data to update ─────────────────────────────────────────────────────────────────────────────────────────────

async function steps({ contestants, models }: Bench): Promise<void> {
  for (const model of models) {
    const length = lengths[model]!
    const results = await byTurns(namesOf(contestants), repeats, index =>
      contestants[index]!.train(model, ...lengthFor(contestants[index]!, length)),
    )
    title(`${model}: a step, from data to update`)
    table(
      ['', 'ms', 'raw', 'MB at most', 'last loss'],
      results.map((trained, i) => [
        contestants[i]!.name,
        ...shown(
          trained.map(each => each.msPerStep),
          3,
        ),
        peak(trained.map(({ ended }) => ended)),
        trained.at(-1)?.lastLoss.toFixed(3) ?? '',
      ]),
    )
    ratios(
      namesOf(contestants),
      results.map(trained => median(trained.map(each => each.msPerStep))),
    )
  }
}

function lengthFor({ name }: Contestant, { steps, skip }: Length): [steps: number, skip: number] {
  const by = name.endsWith('eager') ? shorter : 1
  return [steps / by, skip / by]
}

// ── From the shell to the first step ────────────────────────────────────────────────────────────────────────────────

async function start({ contestants, models }: Bench): Promise<void> {
  const fresh = contestants.filter(({ name }) => name !== 'PyTorch')
  for (const model of models) {
    const results = await byTurns(namesOf(fresh), repeats, index => fresh[index]!.train(model, 1, 0))
    const seconds = results.map(trained => trained.map(each => each.firstSeconds))
    title(`${model}: from the shell to the end of the first step`)
    table(
      ['', 's', 'raw'],
      seconds.map((each, i) => [fresh[i]!.name, ...shown(each, 2)]),
    )
    ratios(namesOf(fresh), seconds.map(median))
  }
}

// ── Digits, end to end ──────────────────────────────────────────────────────────────────────────────────────────────

async function digits({ folder }: Bench): Promise<void> {
  const engines = engineNames()
  const runs: Record<string, () => Promise<Ended>> = Object.fromEntries(
    engines.map(engine => [
      `ltm, ${engine ?? 'eager'}`,
      () => follow(process.execPath, [...ltmRun(engine), join(folder, 'digits.ltm')], folder),
    ]),
  )
  if (hasPython(['torch', 'lightning', 'torchmetrics']))
    runs.Lightning = () => runPython('digits.py', ['digits', folder, '60'], folder)
  const names = Object.keys(runs)
  const results = await byTurns(names, Math.min(repeats, 3), index => runs[names[index]!]!())
  title('digits: sixty epochs with validation and a test, from the shell to the end')
  table(
    ['', 's', 'raw', 'MB at most'],
    results.map((ended, i) => [
      names[i]!,
      ...shown(
        ended.map(each => each.seconds),
        1,
      ),
      peak(ended),
    ]),
  )
  ratios(
    names,
    results.map(ended => median(ended.map(each => each.seconds))),
  )
}

// ── A long run ──────────────────────────────────────────────────────────────────────────────────────────────────────

const manySteps = 20_000

async function long({ contestants }: Bench): Promise<void> {
  const fast = contestants.filter(({ name }) => !name.endsWith('eager') || contestants.length === 1)
  const results = await byTurns(namesOf(fast), 1, index => fast[index]!.train('mlp', manySteps, 1000))
  title(`mlp: ${manySteps} steps`)
  table(
    ['', 'ms early', 'ms late', 'MB at 10 %', 'at 50 %', 'at the end', 'MB at most'],
    results.map(([trained], i) => [fast[i]!.name, ...throughout(trained!)]),
  )
}

function throughout({ early, late, ended }: Trained): readonly string[] {
  const at = (part: number) => {
    const moment = part * ended.seconds
    return ended.memory.findLast(({ seconds }) => seconds <= moment)?.mb.toFixed(0) ?? '?'
  }
  return [early.toFixed(3), late.toFixed(3), at(0.1), at(0.5), at(0.98), peak([ended])]
}

// ── Tables ──────────────────────────────────────────────────────────────────────────────────────────────────────────

const namesOf = (contestants: readonly Contestant[]) => contestants.map(({ name }) => name)

function title(text: string): void {
  console.log(`### ${text}\n`)
}

function table(columns: readonly string[], rows: readonly (readonly string[])[]): void {
  const lines = [columns, columns.map((name, i) => (i === 0 || name === 'raw' ? '---' : '---:')), ...rows]
  console.log(`${lines.map(cells => `| ${cells.join(' | ')} |`).join('\n')}\n`)
}

/** The median, and what it is the median of. */
function shown(numbers: readonly number[], digits: number): readonly string[] {
  return [median(numbers).toFixed(digits), numbers.map(number => number.toFixed(digits)).join(' ')]
}

function peak(ended: readonly Ended[]): string {
  const peaks = ended.flatMap(({ peakMb }) => (peakMb === undefined ? [] : [peakMb]))
  return peaks.length === 0 ? '?' : Math.max(...peaks).toFixed(0)
}

/** How many times as fast each engine of ltm is as each other contestant. */
function ratios(names: readonly string[], medians: readonly number[]): void {
  const texts = names.flatMap((name, i) =>
    name.startsWith('ltm')
      ? names.flatMap((other, j) =>
          other.startsWith('ltm')
            ? []
            : [`${name}: ${(medians[j]! / medians[i]!).toFixed(2)} times as fast as ${other}`],
        )
      : [],
  )
  if (texts.length > 0) console.log(`${texts.join('; ')}.\n`)
}
