import { Command } from 'commander'
import { nearest } from '../base/names.ts'
import type { Program } from '../ir/ir.ts'
import { type ExitCode, exitCodes } from '../runtime/errors.ts'
import type { Summary } from '../summary/summarize.ts'
import { badUsage, type Cli } from './cli.ts'
import { compileProgram } from './compileFile.ts'
import { afterHelp } from './help.ts'
import { checkHyperNames, type Hypers, setOption } from './hypers.ts'
import { showJson } from './show.ts'
import { summaryText } from './summaryText.ts'

interface SummaryOptions {
  readonly depth?: number
  readonly size?: ReadonlyMap<string, number>
  readonly json?: true
  readonly train?: string
  readonly set?: Hypers
}

/** `ltm summary FILE`: what a program holds and what a step of it costs, before anything runs. */
export function summaryCommand(cli: Cli, finish: (code: ExitCode) => void): Command {
  return new Command('summary')
    .description('tell the modules, parameters, work and memory of a program, without running it')
    .argument('<file>', 'an ltm file')
    .usage('<file> [options] [--HYPER VALUE…]')
    .option('--depth <number>', 'how deep modules are shown (default: all)', wholeNumber)
    .option('--size <name=number>', 'a size that only the data tells; may be given many times', collectSize)
    .option('--train <name>', 'the train declaration, where there are several')
    .addOption(setOption('set a hyper; `--NAME VALUE` says the same'))
    .option('--json', 'print it as JSON, with exact numbers')
    .addHelpText(
      'after',
      afterHelp([
        'ltm summary digits.ltm',
        'ltm summary digits.ltm --batch_size 128 --depth 1',
        'ltm summary tagger.ltm --size words=40',
      ]),
    )
    .action(async (path: string, options: SummaryOptions, command: Command) =>
      finish(await summary(path, options, command, cli)),
    )
}

async function summary(path: string, options: SummaryOptions, command: Command, cli: Cli): Promise<ExitCode> {
  const elaborated: Program[] = []
  const observe = (pass: string, program: Program) => {
    if (pass === 'elaborate') elaborated.push(program)
  }
  const hypers = options.set ?? new Map()
  const program = await compileProgram(path, cli, options.train, { hypers, observe })
  checkHyperNames(options.set, [program], command.options)
  const { summarize } = await cli.compiler()
  const found = summarize(elaborated.find(({ name }) => name === program.name) ?? program, options.size)
  requireSizes(options.size, found)
  if (options.json) showJson(found, cli)
  else cli.terminal.out(summaryText(found, options.depth ?? Number.POSITIVE_INFINITY))
  return exitCodes.ok
}

/** Refuses names that no size of the program has. */
function requireSizes(given: ReadonlyMap<string, number> | undefined, found: Summary): void {
  const sizes = Object.keys(found.sizes)
  for (const name of given?.keys() ?? []) {
    if (sizes.includes(name)) continue
    const near = nearest(name, sizes)
    const known =
      sizes.length === 0 ? 'All of its sizes are known.' : `Only the data tells: ${sizes.join(', ')}.`
    throw badUsage(
      `there is no size \`${name}\` that only the data tells`,
      near === undefined ? known : `Did you mean \`${near}\`?`,
    )
  }
}

function wholeNumber(text: string): number {
  if (/^\d+$/.test(text)) return Number(text)
  throw badUsage(`\`--depth ${text}\` is not a whole number`, '`--depth 1` shows the models alone.')
}

function collectSize(
  text: string,
  known: ReadonlyMap<string, number> | undefined,
): ReadonlyMap<string, number> {
  const [, name = '', value = ''] = /^(\w+)=(\d+)$/.exec(text) ?? []
  if (name === '')
    throw badUsage(`\`--size ${text}\` is not NAME=NUMBER`, 'Write for example `--size words=40`.')
  return new Map(known).set(name, Number(value))
}
