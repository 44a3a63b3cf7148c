import { Command, Option } from 'commander'
import { nearest } from '../base/names.ts'
import type { CompileOptions } from '../compiler.ts'
import type { Program } from '../ir/ir.ts'
import { printProgram } from '../ir/print.ts'
import { type ExitCode, exitCodes } from '../runtime/errors.ts'
import { badUsage, type Cli } from './cli.ts'
import { compileProgram } from './compileFile.ts'
import type { Engine } from './engine.ts'
import { afterHelp } from './help.ts'
import { checkHyperNames, type Hypers, setOption } from './hypers.ts'
import { checkSnapshot } from './irSnapshot.ts'
import { jsonText } from './show.ts'

interface IrOptions {
  readonly after?: string
  readonly engine: Engine
  readonly json?: true
  readonly locations?: true
  readonly train?: string
  readonly set?: Hypers
  readonly check?: string
  readonly update?: true
}

/** A program as one pass left it. */
interface Snapshot {
  readonly pass: string
  readonly program: Program
}

/** `ltm ir FILE`: what the compiler has made of a program. */
export function irCommand(cli: Cli, finish: (code: ExitCode) => void): Command {
  return new Command('ir')
    .description('print the intermediate representation of a program')
    .argument('<file>', 'an ltm file')
    .option('--after <pass>', 'print it as this pass leaves it; `all` shows what each pass changes')
    .addOption(
      new Option('--engine <name>', 'lower it for this engine')
        .choices(['eager', 'compiled'])
        .default('eager'),
    )
    .option('--json', 'print it as JSON')
    .option('--locations', 'show where each line comes from')
    .option('--train <name>', 'the train declaration, where there are several')
    .option('--check <snapshot>', 'compare it with a file instead of printing it')
    .option('--update', 'with --check: write the file where it differs')
    .addOption(setOption())
    .addHelpText(
      'after',
      afterHelp([
        'ltm ir digits.ltm',
        'ltm ir digits.ltm --after all',
        'ltm ir digits.ltm --check digits.ir --update',
      ]),
    )
    .action(async (path: string, options: IrOptions) => finish(await ir(path, options, cli)))
}

async function ir(path: string, options: IrOptions, cli: Cli): Promise<ExitCode> {
  if (options.update && options.check === undefined)
    throw badUsage('`--update` writes a snapshot', 'Say which: --check SNAPSHOT --update.')
  const snapshots: Snapshot[] = []
  const watched: CompileOptions = {
    observe: (pass, program) => snapshots.push({ pass, program }),
    verify: 'each',
  }
  const hypers = options.set ?? new Map()
  const chosen = await compileProgram(path, cli, options.train, { hypers, ...watched })
  const program = options.engine === 'compiled' ? (await cli.compiler()).formGraphs(chosen, watched) : chosen
  checkHyperNames(options.set, [program], [])
  const history = snapshots.filter(snapshot => snapshot.program.name === program.name)
  const text = textOf(program, history, options)
  if (options.check === undefined) {
    cli.terminal.out(text)
    return exitCodes.ok
  }
  const name = options.after === undefined ? path : `${path} after ${options.after}`
  return checkSnapshot({ text, snapshot: options.check, name, update: options.update === true }, cli)
}

function textOf(program: Program, history: readonly Snapshot[], options: IrOptions): string {
  if (options.after === 'all') return options.json ? jsonText(history) : historyText(history, options)
  const one = options.after === undefined ? program : after(options.after, history)
  return options.json ? jsonText(one) : `${print(one, options)}\n`
}

function after(pass: string, history: readonly Snapshot[]): Program {
  const found = history.findLast(snapshot => snapshot.pass === pass)
  if (found) return found.program
  const names = [...new Set(history.map(snapshot => snapshot.pass))]
  const near = nearest(pass, names)
  throw badUsage(
    `there is no pass \`${pass}\``,
    near === undefined ? `There are: ${names.join(', ')}, and \`all\`.` : `Did you mean \`${near}\`?`,
  )
}

function print(program: Program, options: IrOptions): string {
  return printProgram(program, { locations: options.locations ?? false }).trimEnd()
}

/** The first program whole, then from pass to pass the sections that are new. */
function historyText(history: readonly Snapshot[], options: IrOptions): string {
  let before = new Set<string>()
  const parts = history.map(({ pass, program }, i) => {
    const sections = print(program, options).split('\n\n')
    const changed = sections.filter(section => !before.has(section))
    const gone = [...before].filter(section => !sections.includes(section)).length
    const nothing = changed.length === 0 && gone === 0 ? ' changes nothing' : ''
    before = new Set(sections)
    return [`# ${i + 1}. ${pass}${nothing}\n`, ...changed.map(section => `${section}\n`)].join('\n')
  })
  return parts.join('\n')
}
