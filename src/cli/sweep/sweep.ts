import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { Command, InvalidArgumentError, Option } from 'commander'
import { nearest } from '../../base/names.ts'
import type { Program } from '../../ir/ir.ts'
import { printProgram } from '../../ir/print.ts'
import { partChanges } from '../../runtime/changes.ts'
import { type ExitCode, exitCodes } from '../../runtime/errors.ts'
import { watchInterrupts } from '../../runtime/interrupts.ts'
import { parseJson } from '../../runtime/json.ts'
import { partsOf } from '../../runtime/programParts.ts'
import { formatDuration, formatNumber } from '../../runtime/report/format.ts'
import { memberOf, membersOf } from '../../runtime/stored.ts'
import { badUsage, type Cli } from '../cli.ts'
import { compileProgram } from '../compileFile.ts'
import type { engines } from '../engine.ts'
import { backendOption, engineOption } from '../engineOptions.ts'
import { freeMemory } from '../freeMemory.ts'
import { afterHelp } from '../help.ts'
import { checkHyperNames, type Hypers, setOption } from '../hypers.ts'
import { seedOf } from '../trainingCommand.ts'
import { type Objective, ranked, type Sweep } from './plan.ts'
import { runTrial } from './process.ts'
import { bestOf, hasTrained, loggedNames, trainedEpochs } from './records.ts'
import { resultLines, writePlots } from './report.ts'
import { type Choice, drawn, gridOf, randomOf, type Varied } from './space.ts'
import { type Outcome, readOutcomes, writeOutcome } from './trials.ts'

interface SweepOptions {
  readonly method: 'random' | 'grid' | 'halving'
  readonly trials: number
  readonly points: number
  readonly metric?: string
  readonly direction?: 'min' | 'max'
  readonly parallel?: number
  readonly folder?: string
  readonly runs: string
  readonly engine: (typeof engines)[number]
  readonly backend: string
  readonly seed: number
  readonly train?: string
  readonly set?: Hypers
}

/** Of the trials of a rung, one in so many goes on to the next, which is so many times as long. */
const reduction = 3
/** What a trial's process takes at least. */
const bytesOfTrial = 400 * 2 ** 20

/** `ltm sweep FILE`: trains with many values of the hypers, and tells which were best. */
export function sweepCommand(cli: Cli, finish: (code: ExitCode) => void): Command {
  return new Command('sweep')
    .description('train with many values of the hypers that have a range, and tell which were best')
    .argument('<file>', 'an ltm file')
    .usage('<file> [options] [--HYPER VALUE…]')
    .addOption(
      new Option(
        '--method <name>',
        'values at random, those of a grid, or random ones of which the best train on',
      )
        .choices(['random', 'grid', 'halving'])
        .default('random'),
    )
    .option('--trials <number>', 'how many, unless a grid says it', count, 20)
    .option('--points <number>', 'values of each range in a grid', count, 3)
    .option('--metric <name>', 'what decides, such as val.loss (default: what the program keeps the best of)')
    .addOption(
      new Option('--direction <which>', 'whether less or more of it is better').choices(['min', 'max']),
    )
    .option('--parallel <number>', 'trials at once (default: as many as the machine has room for)', count)
    .option(
      '--folder <directory>',
      'where the sweep is kept (default: runs/NAME/sweep); one that is there goes on',
    )
    .addOption(engineOption())
    .addOption(backendOption())
    .addOption(setOption('fix a hyper; `--NAME VALUE` says the same'))
    .option('--train <name>', 'the train declaration, where there are several')
    .option('--runs <directory>', 'where runs are kept', 'runs')
    .option('--seed <number>', 'decides which values are tried', seedOf, 1)
    .addHelpText(
      'after',
      afterHelp([
        'ltm sweep digits.ltm',
        'ltm sweep digits.ltm --method halving --trials 27 --batch_size 64',
      ]),
    )
    .action(async (path: string, options: SweepOptions, command: Command) =>
      finish(await sweep(path, options, command, cli)),
    )
}

function count(text: string): number {
  if (/^[1-9]\d*$/.test(text)) return Number(text)
  throw new InvalidArgumentError('It is a whole number from 1.')
}

async function sweep(file: string, options: SweepOptions, command: Command, cli: Cli): Promise<ExitCode> {
  const program = await compileProgram(file, cli, options.train, { hypers: options.set ?? new Map() })
  checkHyperNames(options.set, [program], command.options)
  const space = spaceOf(program, options.set ?? new Map())
  const planned: Sweep = {
    program,
    file,
    folder: options.folder ?? join(options.runs, program.name, 'sweep'),
    space,
    fixed: options.set ?? new Map(),
    train: options.train,
    objective: objectiveOf(program, options),
    choices: choicesOf(space, options),
    rungs: rungsOf(program, options),
  }
  openFolder(planned, options)
  const done = readOutcomes(planned.folder)
  const total = planned.choices.length
  const at = Math.min(options.parallel ?? roomFor(), total)
  const begun = done.length === 0 ? '' : `, going on after ${done.length} that are done`
  cli.terminal.out(
    `${total} trials of ${program.name}, ${at} at once, by ${planned.objective.metric}${begun}\n`,
  )
  const interrupts = watchInterrupts(cli.terminal.err)
  try {
    const outcomes = await climb(planned, options, done, at, interrupts.signal, cli)
    if (interrupts.signal.aborted) {
      cli.terminal.out(`interrupted; the same command goes on from here\n`)
      return exitCodes.interrupted
    }
    const plots = writePlots(planned, outcomes)
    cli.terminal.out(`${resultLines(planned, outcomes, plots).join('\n')}\n`)
    return outcomes.some(({ value }) => value !== undefined) ? exitCodes.ok : exitCodes.training
  } finally {
    interrupts.release()
  }
}

// ── What is tried ───────────────────────────────────────────────────────────────────────────────────────────────────

/** The hypers with a range, without those that are fixed. */
function spaceOf(program: Program, fixed: Hypers): readonly Varied[] {
  const space = program.hypers.flatMap(({ name, type, domain }) =>
    domain === undefined || fixed.has(name) ? [] : [{ name, type, domain }],
  )
  if (space.length > 0) return space
  throw badUsage(
    `no hyper of \`${program.name}\` has a range to vary it in`,
    'Give one a range: `hyper lr: float in log_range(1e-5, 1e-1) = 1e-3`, `hyper width: int in choice(64, 128) = 64`.',
  )
}

function objectiveOf({ name, trainer }: Program, { metric, direction }: SweepOptions): Objective {
  const { keep } = trainer
  if (metric !== undefined) {
    const known = keep?.monitor === metric ? keep.direction : 'min'
    return { metric, direction: direction ?? known }
  }
  if (keep !== undefined) return { metric: keep.monitor, direction: direction ?? keep.direction }
  throw badUsage(
    `nothing says which trial of \`${name}\` is best`,
    'Say it with --metric val.loss, or in the program: `keep: best(min: val.loss)`.',
  )
}

function choicesOf(
  space: readonly Varied[],
  { method, trials, points, seed }: SweepOptions,
): readonly Choice[] {
  if (method === 'grid') return gridOf(space, points)
  const random = randomOf(seed)
  return Array.from({ length: trials }, () => drawn(space, random))
}

function rungsOf({ trainer: { epochs } }: Program, { method, trials }: SweepOptions): Sweep['rungs'] {
  if (method !== 'halving') return [undefined]
  if (epochs === undefined)
    throw badUsage(
      'halving goes by epochs, and the program does not say how many',
      'Give `epochs` in `trainer`.',
    )
  const most = Math.ceil(Math.log(trials) / Math.log(reduction))
  const shorter = Array.from({ length: most }, (_, i) => Math.floor(epochs / reduction ** (most - i)))
  return [...shorter.filter((each, i) => each >= 1 && each < epochs && each !== shorter[i - 1]), undefined]
}

function roomFor(): number {
  return Math.max(1, Math.min(availableParallelism(), Math.floor(freeMemory() / bytesOfTrial)))
}

/** Makes the folder, or sees to it that the one that is there is of the same sweep. */
function openFolder(
  { folder, choices, objective, rungs, program }: Sweep,
  { engine, backend, set }: SweepOptions,
): void {
  const fixed = Object.fromEntries(set ?? [])
  const parts = partsOf(printProgram(program), ['program', 'hyper'])
  const text = `${JSON.stringify({ objective, rungs, engine, backend, fixed, choices, parts }, undefined, 2)}\n`
  const path = join(folder, 'sweep.json')
  mkdirSync(folder, { recursive: true })
  if (!existsSync(path)) return writeFileSync(path, text)
  const before = readFileSync(path, 'utf8')
  if (before === text) return
  const [planned, plan] = [before, text].map(each => parseJson(Buffer.from(each)))
  // What decides may still change while nothing has been decided.
  const same = membersOf(planned).every(
    ([name, was]) => name === 'objective' || isDeepStrictEqual(was, memberOf(plan, name)),
  )
  if (same && readOutcomes(folder).length === 0) return writeFileSync(path, text)
  const edits = partChanges(memberOf(planned, 'parts'), parts)
  if (edits.length > 0)
    throw badUsage(
      `\`${folder}\` holds a sweep of the program as it was; since then it has been edited: ${edits.join(', ')}`,
      'Undo that to go on with it, or name another place with --folder.',
    )
  throw badUsage(
    `\`${folder}\` holds a sweep that was asked for otherwise`,
    'Ask as before to go on with it, or name another place with --folder.',
  )
}

// ── Trials ──────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Rung by rung: all trials of one, then the best of them go on. Gives each trial's last outcome. */
async function climb(
  planned: Sweep,
  options: SweepOptions,
  done: readonly Outcome[],
  at: number,
  signal: AbortSignal,
  cli: Cli,
): Promise<readonly Outcome[]> {
  const last = new Map<number, Outcome>()
  let going = planned.choices.map((_, trial) => trial)
  for (const rung of planned.rungs.keys()) {
    const tried = await tryAll(planned, options, going, rung, done, at, signal, cli)
    for (const outcome of tried) last.set(outcome.trial, outcome)
    if (signal.aborted) break
    const kept = Math.max(1, Math.floor(going.length / reduction))
    going = ranked(tried, planned.objective)
      .filter(({ value }) => value !== undefined)
      .slice(0, kept)
      .map(({ trial }) => trial)
  }
  return [...last.values()]
}

async function tryAll(
  planned: Sweep,
  options: SweepOptions,
  going: readonly number[],
  rung: number,
  done: readonly Outcome[],
  at: number,
  signal: AbortSignal,
  cli: Cli,
): Promise<readonly Outcome[]> {
  const known = done.filter(outcome => outcome.rung === rung && going.includes(outcome.trial))
  const outcomes = [...known]
  const waiting = going.filter(trial => !known.some(outcome => outcome.trial === trial))
  const threads = Math.max(1, Math.floor(availableParallelism() / at))
  const abandoned = new AbortController()
  const ends = AbortSignal.any([signal, abandoned.signal])
  const worker = async () => {
    for (let trial = waiting.shift(); trial !== undefined && !ends.aborted; trial = waiting.shift()) {
      const outcome = await tryOne(planned, options, { trial, rung, threads }, ends)
      if (outcome === undefined) return
      writeOutcome(planned.folder, outcome)
      outcomes.push(outcome)
      cli.terminal.out(`${lineOf(outcome, planned)}\n`)
    }
  }
  const workers = Array.from({ length: at }, worker)
  try {
    await Promise.all(workers)
  } catch (error) {
    // What the others have come to is theirs to save.
    abandoned.abort()
    await Promise.allSettled(workers)
    throw error
  }
  return outcomes
}

/** Undefined where it was interrupted. */
async function tryOne(
  planned: Sweep,
  { engine, backend, set, train }: SweepOptions,
  { trial, rung, threads }: { readonly trial: number; readonly rung: number; readonly threads: number },
  signal: AbortSignal,
): Promise<Outcome | undefined> {
  const { file, folder, program, objective } = planned
  const hypers = planned.choices[trial] ?? {}
  const epochs = planned.rungs[rung]
  const runs = join(folder, `trial-${trial + 1}`)
  const started = performance.now()
  const fixed = [...(set ?? [])].map(([name, value]) => `--set=${name}=${value}`)
  const chosen = train === undefined ? [] : ['--train', train]
  const on = ['--engine', engine, '--backend', backend]
  const isThere = epochs !== undefined && trainedEpochs(runs, program.name) >= epochs
  const resume = hasTrained(runs, program.name)
  const end = isThere
    ? { failure: undefined, interrupted: false }
    : await runTrial(
        { file, hypers, runs, resume, epochs, threads, options: [...on, ...chosen, ...fixed] },
        signal,
      )
  if (end.interrupted) return undefined
  if (end.failure === undefined) requireLogged(objective.metric, loggedNames(runs, program.name))
  const value = end.failure === undefined ? bestOf(runs, program.name, objective, epochs) : undefined
  const missing = `it logged no finite ${objective.metric}`
  const failure = end.failure ?? (value === undefined ? missing : undefined)
  return {
    ...{
      trial,
      hypers,
      rung,
      epochs: Math.min(trainedEpochs(runs, program.name), epochs ?? Number.MAX_SAFE_INTEGER),
    },
    ...(value !== undefined && { value }),
    ...(failure !== undefined && { failure }),
    seconds: (performance.now() - started) / 1000,
  }
}

/** No trial will have a value that a whole one has not logged. */
function requireLogged(metric: string, logged: ReadonlySet<string>): void {
  if (logged.has(metric)) return
  const near = nearest(metric, [...logged])
  throw badUsage(
    `no step of the program logs \`${metric}\``,
    near === undefined
      ? `Logged are: ${[...logged].sort().join(', ')}.`
      : `Did you mean \`--metric ${near}\`?`,
  )
}

function lineOf(
  { trial, hypers, value, failure, epochs, seconds }: Outcome,
  { choices, objective }: Sweep,
): string {
  const given = Object.entries(hypers).map(([name, text]) => `${name} ${text}`)
  const came = value === undefined ? `failed: ${failure}` : `${objective.metric} ${formatNumber(value)}`
  const label = `trial ${String(trial + 1).padStart(String(choices.length).length)}/${choices.length}`
  const trained = `${epochs} ${epochs === 1 ? 'epoch' : 'epochs'}`
  return [label, given.join(', '), came, trained, formatDuration(seconds)].join(' · ')
}
