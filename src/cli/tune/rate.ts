import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Command } from 'commander'
import type { Program } from '../../ir/ir.ts'
import { type ExitCode, exitCodes } from '../../runtime/errors.ts'
import type { RatesFound } from '../../runtime/rateFinder.ts'
import { formatNumber } from '../../runtime/report/format.ts'
import { badUsage, type Cli } from '../cli.ts'
import { compileProgram } from '../compileFile.ts'
import { chooseEngine } from '../engine.ts'
import { importProgram } from '../execute.ts'
import { checkHyperNames } from '../hypers.ts'
import { type Plot, svgOf, textPlot } from '../plot.ts'
import { runCommand } from '../runCommand.ts'
import { showJson } from '../show.ts'
import type { TuneOptions } from './tune.ts'

/** The defaults of a search. */
const usual = { from: 1e-8, to: 1, steps: 100 }

/** `ltm tune FILE`: a learning rate to begin with. */
export async function tuneRate(
  path: string,
  options: TuneOptions,
  command: Command,
  cli: Cli,
): Promise<ExitCode> {
  const hypers = options.set ?? new Map()
  const reading = { mode: 'train', seed: options.seed } as const
  const program = await compileProgram(path, cli, options.train, { hypers, reading })
  checkHyperNames(options.set, [program], command.options)
  const { backend, engine, seed, stopAt } = options
  const { from, to, steps } = { ...usual, ...options }
  if (from >= to) throw badUsage('`--from` is not below `--to`', 'The rates grow.')
  if (steps < 2) throw badUsage('`--steps 1` is one rate', 'Try 2 at least.')
  const chosen = await chooseEngine(program, { engine, backend, before: undefined }, cli)
  const module = await importProgram(chosen.program, path, false, cli)
  const runtime = await cli.runtime()
  const hyper = chooseHyper(runtime.rateHypers(module), options.hyper, program)
  const interrupts = cli.terminal.interrupts()
  try {
    const search = { hyper, from, to, steps, stopAt }
    const found = await runtime.findRate(module, search, {
      ...{ backend, seed, graphs: chosen.graphs, signal: interrupts.signal },
    })
    if (interrupts.signal.aborted) return exitCodes.interrupted
    if (options.json) showJson({ hyper, ...found }, cli)
    else show(path, hyper, program, found, options, cli)
    return found.suggestion === undefined ? exitCodes.training : exitCodes.ok
  } finally {
    interrupts.release()
  }
}

/** The hyper that is asked for, if it decides a learning rate, or the only one that does. */
function chooseHyper(known: readonly string[], asked: string | undefined, program: Program): string {
  const [only] = known
  const those = known.map(name => `\`${name}\``).join(', ')
  if (only === undefined)
    throw badUsage(
      `no hyper of \`${program.name}\` decides the \`lr\` of an optimizer`,
      'Declare one, `hyper lr: float = 1e-3`, and give it to the optimizer: `lr: lr`.',
    )
  if (asked === undefined && known.length === 1) return only
  if (asked === undefined)
    throw badUsage(
      `several hypers decide the \`lr\` of an optimizer: ${those}`,
      'Say which with --hyper NAME.',
    )
  if (known.includes(asked)) return asked
  throw badUsage(
    `the hyper \`${asked}\` does not decide the \`lr\` of an optimizer`,
    `Those that do: ${those}.`,
  )
}

function show(
  path: string,
  hyper: string,
  program: Program,
  found: RatesFound,
  options: TuneOptions,
  cli: Cli,
): void {
  const plot = plotOf(hyper, program, found)
  const file = join(options.runs, program.name, `tune-${hyper}.svg`)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, svgOf(plot))
  const { trials, suggestion, end } = found
  const last = formatNumber(trials.at(-1)?.rate ?? Number.NaN)
  const ends = {
    'tried all': `tried ${trials.length} rates, up to ${last}`,
    diverged: `stopped at ${last}, after ${trials.length} batches: the loss was ${options.stopAt} times its least`,
    'not finite': `stopped after ${last}, ${trials.length} batches: the loss was not finite`,
  }
  const advice =
    suggestion === undefined
      ? `the loss fell nowhere; try other ends, --from and --to`
      : `suggested: ${hyper} = ${formatNumber(suggestion)}, where the loss falls fastest\n  ${runCommand(path, options.train, new Map([...(options.set ?? []), [hyper, formatNumber(suggestion)]]))}`
  cli.terminal.out([...textPlot(plot), '', ends[end], advice, `plot: ${file}`, ''].join('\n'))
}

function plotOf(hyper: string, program: Program, { trials, suggestion }: RatesFound): Plot {
  const at = trials.find(({ rate }) => rate === suggestion)
  return {
    title: `${program.name}: loss by ${hyper}`,
    x: { label: hyper, scale: 'log' },
    y: { label: 'loss', scale: 'linear' },
    series: [
      { kind: 'line', faint: true, points: trials.map(({ rate, loss }) => [rate, loss]) },
      { kind: 'line', points: trials.map(({ rate, smoothed }) => [rate, smoothed]) },
    ],
    marks:
      at === undefined ? [] : [{ at: [at.rate, at.smoothed], text: `${hyper} = ${formatNumber(at.rate)}` }],
  }
}
