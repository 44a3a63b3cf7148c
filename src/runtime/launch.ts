import { realpathSync } from 'node:fs'
import { argv, stderr, stdout } from 'node:process'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { systemCode } from './atomic.ts'
import { describeRunError, type ExitCode, exitCodes, RunError } from './errors.ts'
import { watchInterrupts } from './interrupts.ts'
import { predict, test, train, validate } from './program.ts'
import { chooseReporter } from './report/choose.ts'
import type { RunOptions } from './start.ts'
import type { Training } from './training.ts'
import { batchesIn, limitIn } from './trials.ts'

const modes = { train, validate, test, predict } as const
type Mode = keyof typeof modes

const usage = `usage: node PROGRAM.js [train | validate | test | predict] [--backend NAME] [--checkpoint FOLDER]
       [--accept-changes] [--runs FOLDER] [--seed NUMBER] [--split NAME] [--fast-dev-run [BATCHES]] [--overfit BATCHES]
       [--limit BATCHES|SHARE] [--deterministic] [--json]`

/** Runs a program if its file is the one that Node was asked to run; an import of it does nothing. */
export async function launch(training: Training, url: string): Promise<void> {
  if (!isAsked(url)) return
  for (const stream of [stdout, stderr]) stream.on('error', leaveQuietly)
  const code = await runWith(training, argv.slice(2))
  // Some graphics drivers keep a process alive for ever; what was written has to arrive first.
  await Promise.all([stdout, stderr].map(stream => new Promise(resolve => stream.write('', resolve))))
  process.exit(code)
}

/** A reader that has gone away, as `head` does, ends the program. */
function leaveQuietly(error: Error): void {
  if (systemCode(error) !== 'EPIPE') throw error
  process.exit(exitCodes.ok)
}

function isAsked(url: string): boolean {
  const [, asked] = argv
  try {
    return asked !== undefined && realpathSync(asked) === realpathSync(fileURLToPath(url))
  } catch {
    return false
  }
}

/** Arguments in, exit code out. */
async function runWith(training: Training, args: readonly string[]): Promise<ExitCode> {
  try {
    const { mode, json, options } = readArguments(args)
    return await runReported(training, mode, json, options)
  } catch (error) {
    return explain(error)
  }
}

async function runReported(
  training: Training,
  mode: Mode,
  json: boolean,
  options: RunOptions,
): Promise<ExitCode> {
  const interrupts = watchInterrupts(text => void stderr.write(text))
  const reporter = chooseReporter({ json, stream: stdout })
  try {
    const { reason } = await modes[mode](training, { ...options, reporter, signal: interrupts.signal })
    return reason === 'interrupted' ? exitCodes.interrupted : exitCodes.ok
  } finally {
    reporter.close()
    interrupts.release()
  }
}

interface Asked {
  readonly mode: Mode
  readonly json: boolean
  readonly options: RunOptions
}

function readArguments(args: readonly string[]): Asked {
  const { values, positionals } = parsed(args)
  const [mode = 'train', surplus] = positionals
  if (!isMode(mode)) throw misused(`there is no command \`${mode}\``)
  if (surplus !== undefined) throw misused(`\`${surplus}\` is one argument too many`)
  const { json = false, seed, backend, checkpoint, runs, split, deterministic } = values
  const { 'accept-changes': acceptChanges, 'fast-dev-run': fast, overfit, limit } = values
  const given = { backend, checkpoint, runs, split, deterministic, acceptChanges }
  const trials = {
    fastDevRun: typed('--fast-dev-run', fast, batchesIn, 'a number of batches, 1 or more'),
    overfit: typed('--overfit', overfit, batchesIn, 'a number of batches, 1 or more'),
    limit: typed('--limit', limit, limitIn, 'a number of batches, 1 or more, or a share of them, as in 0.1'),
  }
  const known = seed === undefined ? {} : { seed: typed('--seed', seed, seedIn, 'a whole number from 0') }
  return { mode, json, options: { ...given, ...trials, ...known } }
}

/** What was typed behind a flag, which takes `what`. */
function typed<T>(
  flag: string,
  text: string | undefined,
  read: (text: string) => T | undefined,
  what: string,
): T | undefined {
  if (text === undefined) return undefined
  const value = read(text)
  if (value === undefined) throw misused(`\`${flag}\` takes ${what}, not \`${text}\``)
  return value
}

/** `--fast-dev-run` by itself is of one batch. */
function withBatches(args: readonly string[]): readonly string[] {
  return args.flatMap((arg, i) =>
    arg === '--fast-dev-run' && batchesIn(args[i + 1] ?? '') === undefined ? [arg, '1'] : [arg],
  )
}

function parsed(args: readonly string[]) {
  const text = { type: 'string' } as const
  const options = {
    backend: text,
    checkpoint: text,
    'accept-changes': { type: 'boolean' },
    runs: text,
    seed: text,
    split: text,
    'fast-dev-run': text,
    overfit: text,
    limit: text,
    deterministic: { type: 'boolean' },
    json: { type: 'boolean' },
  } as const
  try {
    return parseArgs({ args: [...withBatches(args)], options, allowPositionals: true })
  } catch (error) {
    throw misused(error instanceof Error ? error.message : String(error))
  }
}

function isMode(text: string): text is Mode {
  return Object.hasOwn(modes, text)
}

function seedIn(text: string): number | undefined {
  return /^\d+$/.test(text) && Number.isSafeInteger(Number(text)) ? Number(text) : undefined
}

function misused(message: string): RunError {
  return new RunError({ code: 'LTM6401', message, help: usage, exitCode: exitCodes.usage })
}

function explain(error: unknown): ExitCode {
  if (error instanceof RunError) {
    stderr.write(`${describeRunError(error)}\n`)
    return error.exitCode
  }
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error)
  stderr.write(
    `This is a bug in ltm or in a function that the program imports, not in the program:\n${stack}\n`,
  )
  return exitCodes.internal
}
