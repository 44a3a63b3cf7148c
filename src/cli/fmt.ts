import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { Command } from 'commander'
import { type ExitCode, exitCodes } from '../runtime/errors.ts'
import { type Cli, Stop } from './cli.ts'
import { isProblem, readSource, replaceFile } from './files.ts'
import { afterHelp } from './help.ts'
import { showWithSummary } from './show.ts'

interface FmtOptions {
  readonly check?: true
}

/** `ltm fmt [PATH…]`: files as ltm writes them, in place. */
export function fmtCommand(cli: Cli, finish: (code: ExitCode) => void): Command {
  return new Command('fmt')
    .description('format ltm files in place')
    .argument('[path...]', 'ltm files, and folders that hold such (default: the folder you are in)')
    .option('--check', 'change nothing; name the files that are not formatted, and fail if there are any')
    .addHelpText('after', afterHelp(['ltm fmt', 'ltm fmt digits.ltm models/', 'ltm fmt --check']))
    .action(async (paths: readonly string[], options: FmtOptions) => finish(await fmt(paths, options, cli)))
}

async function fmt(paths: readonly string[], options: FmtOptions, cli: Cli): Promise<ExitCode> {
  const files = [...new Set((paths.length === 0 ? ['.'] : paths).flatMap(filesAt))]
  if (files.length === 0) throw new Stop(exitCodes.program, 'there is no `.ltm` file here')
  const results: Result[] = []
  for (const path of files) results.push(await formatFile(path, options, cli))
  return report(results, options, cli)
}

type Result = { readonly path: string; readonly outcome: 'kept' | 'changed' | 'failed' }

/** The file itself, or all below a folder but what is hidden, installed or left by runs. */
function filesAt(path: string): readonly string[] {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) return [path]
  const entries = readdirSync(path, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))
  return entries.flatMap(entry => {
    if (entry.isDirectory())
      return entry.name.startsWith('.') || ['node_modules', 'runs'].includes(entry.name)
        ? []
        : filesAt(join(path, entry.name))
    return entry.name.endsWith('.ltm') ? [join(path, entry.name)] : []
  })
}

async function formatFile(path: string, { check }: FmtOptions, cli: Cli): Promise<Result> {
  const source = readSource(path)
  if (isProblem(source)) {
    showWithSummary([source], cli)
    return { path, outcome: 'failed' }
  }
  const { format } = await import('../format/format.ts')
  const formatted = format(source)
  if ('errors' in formatted) {
    showWithSummary(formatted.errors, cli)
    return { path, outcome: 'failed' }
  }
  if (formatted.text === source.text) return { path, outcome: 'kept' }
  if (!check) replaceFile(path, formatted.text)
  return { path, outcome: 'changed' }
}

function report(results: readonly Result[], { check }: FmtOptions, cli: Cli): ExitCode {
  const changed = results.filter(({ outcome }) => outcome === 'changed')
  const failed = results.some(({ outcome }) => outcome === 'failed')
  for (const { path } of changed) cli.terminal.out(`${check ? 'not formatted: ' : 'formatted '}${path}\n`)
  if (changed.length === 0 && !failed)
    cli.terminal.out(`${counted(results.length)} ${results.length === 1 ? 'is' : 'are'} formatted.\n`)
  if (check && changed.length > 0) cli.terminal.err(`\`ltm fmt\` formats ${counted(changed.length)}.\n`)
  return failed || (check && changed.length > 0) ? exitCodes.program : exitCodes.ok
}

const counted = (count: number): string => (count === 1 ? '1 file' : `${count} files`)
