import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { Command, InvalidArgumentError, Option } from 'commander'
import type { Program } from '../ir/ir.ts'
import { type ExitCode, exitCodes } from '../runtime/errors.ts'
import type { RatesFound } from '../runtime/rateFinder.ts'
import { formatNumber } from '../runtime/report/format.ts'
import { badUsage, type Cli } from './cli.ts'
import { chooseProgram, compilePrograms } from './compileFile.ts'
import { importProgram } from './execute.ts'
import { afterHelp } from './help.ts'
import { checkHyperNames, type Hypers, setOption } from './hypers.ts'
import { type Plot, svgOf, textPlot } from './plot.ts'
import { showJson } from './show.ts'
import { seedOf } from './trainingCommand.ts'

interface TuneOptions {
  readonly hyper?: string
  readonly from: number
  readonly to: number
  readonly steps: number
  readonly stopAt: number
  readonly backend: string
  readonly runs: string
  readonly train?: string
  readonly seed?: number
  readonly set?: Hypers
  readonly json?: true
}

/** `ltm tune FILE`: a learning rate to begin with. */
export function tuneCommand(cli: Cli, finish: (code: ExitCode) => void): Command {
  return new Command('tune')
    .description(
      'find a learning rate: try ever larger ones, one a batch, and see where the loss falls fastest',
    )
    .argument('<file>', 'an ltm file')
    .usage('<file> [options] [--HYPER VALUE…]')
    .option('--hyper <name>', 'the hyper that holds the learning rate, where there are several')
    .option('--from <rate>', 'the first rate', positive, 1e-8)
    .option('--to <rate>', 'the last rate', positive, 1)
    .option('--steps <number>', 'how many rates', count, 100)
    .option('--stop-at <factor>', 'stop where the loss is so many times its least', positive, 4)
    .addOption(
      new Option('--backend <name>', 'what computes')
        .choices(['auto', 'tensorflow', 'webgpu', 'wasm', 'cpu'])
        .default('auto'),
    )
    .addOption(setOption('set another hyper; `--NAME VALUE` says the same'))
    .option('--train <name>', 'the train declaration, where there are several')
    .option('--runs <directory>', 'where the plot goes, beside the runs', 'runs')
    .option('--seed <number>', 'the seed, instead of the one in the program', seedOf)
    .option('--json', 'print the trials as JSON')
    .addHelpText(
      'after',
      afterHelp(['ltm tune digits.ltm', 'ltm tune gan.ltm --hyper critic_lr --to 0.1 --steps 200']),
    )
    .action(async (path: string, options: TuneOptions, command: Command) =>
      finish(await tune(path, options, command, cli)),
    )
}

function positive(text: string): number {
  const value = Number(text)
  if (value > 0 && Number.isFinite(value)) return value
  throw new InvalidArgumentError('It is a number above 0.')
}

function count(text: string): number {
  if (/^\d+$/.test(text) && Number(text) >= 2) return Number(text)
  throw new InvalidArgumentError('It is a whole number from 2.')
}

async function tune(path: string, options: TuneOptions, command: Command, cli: Cli): Promise<ExitCode> {
  const programs = await compilePrograms(path, cli, { hypers: options.set ?? new Map() })
  const program = chooseProgram(programs, options.train)
  checkHyperNames(options.set, [program], command.options)
  if (options.from >= options.to) throw badUsage('`--from` is not below `--to`', 'The rates grow.')
  const module = await importProgram(program, path, false, cli)
  const runtime = await cli.runtime()
  const hyper = chooseHyper(runtime.rateHypers(module), options.hyper, program)
  const { backend, seed, from, to, steps, stopAt } = options
  const interrupts = cli.terminal.interrupts()
  try {
    const search = { hyper, from, to, steps, stopAt }
    const found = await runtime.findRate(module, search, { backend, seed, signal: interrupts.signal })
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
      : `suggested: ${hyper} = ${formatNumber(suggestion)}, where the loss falls fastest\n  ltm run ${path} --${hyper} ${formatNumber(suggestion)}`
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
