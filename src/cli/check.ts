import { Command } from 'commander'
import { type Renderable, renderJson } from '../diagnostics/render.ts'
import { type ExitCode, exitCodes } from '../runtime/errors.ts'
import { badUsage, type Cli, Stop } from './cli.ts'
import { checkFile } from './compileFile.ts'
import { fixFile } from './fixes.ts'
import { afterHelp } from './help.ts'
import { showJson, showWithSummary } from './show.ts'

interface CheckOptions {
  readonly json?: true
  readonly fix?: true
}

/** `ltm check FILE…`: everything that can be known before a run. */
export function checkCommand(cli: Cli, finish: (code: ExitCode) => void): Command {
  return new Command('check')
    .description('report what is wrong with programs, without running them')
    .argument('<file...>', 'ltm files')
    .option('--json', 'print the diagnostics as JSON')
    .option('--fix', 'first repair in place what has a safe repair, and say what was changed')
    .addHelpText(
      'after',
      afterHelp(['ltm check digits.ltm', 'ltm check --fix digits.ltm', 'ltm check --json *.ltm']),
    )
    .action(async (paths: readonly string[], options: CheckOptions) =>
      finish(await check(paths, options, cli)),
    )
}

async function check(paths: readonly string[], options: CheckOptions, cli: Cli): Promise<ExitCode> {
  if (options.fix && options.json)
    throw badUsage('--fix and --json do not go together', 'Fix first, then check.')
  const found: Renderable[] = []
  for (const path of paths) {
    if (options.fix) await fixFile(path, cli)
    found.push(...(await diagnosticsOf(path, cli)))
  }
  const diagnostics = distinct(found)
  const errors = diagnostics.filter(d => d.severity === 'error').length
  if (options.json) {
    showJson({ diagnostics: diagnostics.map(renderJson), errors, warnings: diagnostics.length - errors }, cli)
  } else {
    showWithSummary(diagnostics, cli)
    if (diagnostics.length === 0) cli.terminal.out(`No problems in ${named(paths)}.\n`)
  }
  return errors > 0 ? exitCodes.program : exitCodes.ok
}

/** A file that can't be read has its problem for a diagnostic; the others are still checked. */
async function diagnosticsOf(path: string, cli: Cli): Promise<readonly Renderable[]> {
  try {
    return await checkFile(path, cli)
  } catch (error) {
    if (error instanceof Stop && error.shown.length > 0) return error.shown
    throw error
  }
}

/** Two files that import a third both report what is wrong with it. */
function distinct(diagnostics: readonly Renderable[]): readonly Renderable[] {
  return [...new Map(diagnostics.map(d => [JSON.stringify(renderJson(d)), d])).values()]
}

function named(paths: readonly string[]): string {
  return paths.length === 1 ? `${paths[0]}` : `${paths.length} files`
}
