import { Command } from 'commander'
import type { BackendSurvey } from '../runtime/backends.ts'
import type { CacheSurvey } from '../runtime/engine/graphCache.ts'
import { type ExitCode, exitCodes } from '../runtime/errors.ts'
import type { Cli } from './cli.ts'
import { afterHelp } from './help.ts'
import { showJson } from './show.ts'

interface DoctorOptions {
  readonly json?: true
}

/** `ltm doctor`: what this machine can compute with. */
export function doctorCommand(cli: Cli, finish: (code: ExitCode) => void): Command {
  return new Command('doctor')
    .description('tell what this machine can train with, and what could be installed')
    .option('--json', 'print it as JSON')
    .addHelpText('after', afterHelp(['ltm doctor']))
    .action(async (options: DoctorOptions) => finish(await doctor(options, cli)))
}

async function doctor(options: DoctorOptions, cli: Cli): Promise<ExitCode> {
  const runtime = await cli.runtime()
  const { reports, chosen, detail } = await runtime.survey()
  const cache = runtime.surveyCache()
  const machine = { ltm: cli.version, node: process.version, platform: `${process.platform} ${process.arch}` }
  if (options.json) showJson({ ...machine, backends: reports, chosen, detail, cache: cache ?? null }, cli)
  else {
    const head = `ltm ${machine.ltm}, Node ${machine.node}, ${machine.platform}\n\n`
    const width = Math.max(...reports.map(report => report.name.length))
    const lines = reports.flatMap(report => backendLines(report, width))
    cli.terminal.out(
      `${head}What computes, the preferred first:\n${lines.join('\n')}\n\nA run takes ${chosen} (${detail}) unless --backend names another. ` +
        "Programs that ONNX Runtime can't run whole take the next.\n" +
        `${cacheLine(cache)}\n`,
    )
  }
  return exitCodes.ok
}

function cacheLine(cache: CacheSurvey | undefined): string {
  if (cache === undefined) return 'Compiled graphs are not kept from one run to the next.'
  const { folder, graphs, bytes } = cache
  const held = `${graphs} ${graphs === 1 ? 'graph' : 'graphs'}, ${(bytes / 2 ** 20).toFixed(1)} MB`
  return `Compiled graphs are kept in ${folder} (${held}).`
}

function backendLines(report: BackendSurvey['reports'][number], width: number): readonly string[] {
  const state = report.available ? 'available' : 'not available'
  const install = report.install === undefined ? [] : [`${' '.repeat(width + 4)}to get it: ${report.install}`]
  return [`  ${report.name.padEnd(width)}  ${state}: ${report.detail}`, ...install]
}
