import type { Command } from 'commander'
import type { Hyper, Program } from '../../ir/ir.ts'
import { type ExitCode, exitCodes } from '../../runtime/errors.ts'
import { badUsage, type Cli } from '../cli.ts'
import { type Compiling, compileProgram, compileSettled } from '../compileFile.ts'
import { chooseEngine } from '../engine.ts'
import { importProgram } from '../execute.ts'
import { freeMemory } from '../freeMemory.ts'
import { checkHyperNames, type Hypers } from '../hypers.ts'
import { showJson } from '../show.ts'
import { bytes } from '../summaryText.ts'
import { adviceLines, type Found, headLine, triedLine } from './batchLines.ts'
import { tryInChild } from './child.ts'
import { type Attempt, fastest, largestThatFits, type Sizes, trySizes } from './sizes.ts'
import type { TuneOptions } from './tune.ts'

const usual = { from: 2, to: 8192, steps: 5 }

/** What is left to others of the memory that is free. */
const share = 0.8

/** `ltm tune FILE --find batch`: how large a batch may be, and how fast each size is. */
export async function tuneBatch(
  path: string,
  options: TuneOptions,
  command: Command,
  cli: Cli,
): Promise<ExitCode> {
  const given = options.set ?? new Map()
  const reading = { mode: 'train', seed: options.seed } as const
  const program = await compileProgram(path, cli, options.train, { hypers: given, reading })
  checkHyperNames(options.set, [program], command.options)
  const compiled = (hypers: Hypers) => compileQuietly(path, { hypers, reading }, program.name, cli)
  const hyper = await chooseHyper(program, given, options.hyper, compiled)
  const limit = options.memory ?? memoryThatIsFree()
  const interrupts = cli.terminal.interrupts()
  const attempt = async (size: number): Promise<Attempt> => {
    const found = await compiled(new Map([...given, [hyper.name, String(size)]]))
    if (typeof found === 'string') return { kind: 'refused', why: found }
    const estimate = found.memory
    if (estimate > limit)
      return { kind: 'too large', why: `would take ${bytes(estimate)} by \`ltm summary\`` }
    const args = argumentsOf(path, options, program.name, hyper.name, size)
    return tryInChild(args, limit, interrupts.signal)
  }
  const print = (line: string) => {
    if (!options.json) cli.terminal.out(`${line}\n`)
  }
  print(headLine(hyper.name))
  try {
    const tried = await trySizes(sizesOf(hyper, options), options.method, async size => {
      const found = await attempt(size)
      if (!interrupts.signal.aborted) print(triedLine(hyper.name, { size, attempt: found }))
      return found
    })
    if (interrupts.signal.aborted) return exitCodes.interrupted
    return tell({ path, train: options.train, given, hyper: hyper.name, limit, tried }, options, cli)
  } finally {
    interrupts.release()
  }
}

function tell(found: Found, { json }: TuneOptions, cli: Cli): ExitCode {
  const { hyper, limit, tried } = found
  const largest = largestThatFits(tried)
  const last = tried.at(-1)?.attempt
  if (last?.kind === 'failed') cli.terminal.err(`${last.said}\n`)
  if (json) {
    const rows = tried.map(({ size, attempt }) => ({ size, ...attempt }))
    showJson({ hyper, limit, tried: rows, largest: largest?.size, fastest: fastest(tried)?.size }, cli)
  } else cli.terminal.out(['', ...adviceLines(found), ''].join('\n'))
  if (largest !== undefined) return exitCodes.ok
  return tried.some(({ attempt }) => attempt.kind === 'too large') ? exitCodes.training : exitCodes.program
}

function argumentsOf(
  path: string,
  { engine, backend, seed, steps = usual.steps, set }: TuneOptions,
  train: string,
  hyper: string,
  size: number,
): readonly string[] {
  const hypers = [...(set ?? []), [hyper, String(size)]].map(([name, value]) => `--set=${name}=${value}`)
  const seeded = seed === undefined ? [] : ['--seed', String(seed)]
  const asked = ['--engine', engine, '--backend', backend, '--steps', String(steps), ...seeded]
  return ['tune', path, '--trial', '--train', train, ...asked, ...hypers]
}

/** One of the processes that try a size each: prints what it came to. */
export async function tryBatch(path: string, options: TuneOptions, _: Command, cli: Cli): Promise<ExitCode> {
  const { engine, backend, seed, steps = usual.steps, set = new Map() } = options
  const compiling = { hypers: set, reading: { mode: 'train', seed } as const }
  const program = await compileProgram(path, cli, options.train, compiling)
  const chosen = await chooseEngine(program, { engine, backend, before: undefined }, cli)
  const module = await importProgram(chosen.program, path, false, cli)
  const runtime = await cli.runtime()
  showJson(await runtime.tryBatches(module, steps, { backend, seed, graphs: chosen.graphs }), cli)
  return exitCodes.ok
}

function memoryThatIsFree(): number {
  return Math.floor(share * freeMemory())
}

// ── The hyper ───────────────────────────────────────────────────────────────────────────────────────────────────────

interface Compiled {
  /** Examples of a batch of each dataset that training steps read. */
  readonly batches: readonly number[]
  /** Bytes that a training step takes at least, as far as it is known before anything runs. */
  readonly memory: number
}

/** The program with some hypers; in words, why it can't have them. */
async function compileQuietly(
  path: string,
  compiling: Compiling,
  name: string,
  cli: Cli,
): Promise<Compiled | string> {
  const elaborated: Program[] = []
  const observe = (pass: string, each: Program) => {
    if (pass === 'elaborate') elaborated.push(each)
  }
  const { diagnostics, programs } = await compileSettled(path, cli, { ...compiling, observe }, ({ open }) =>
    open.filter(each => each.name === name),
  )
  const problem = diagnostics.find(({ severity }) => severity === 'error')
  const program = programs.length === 0 ? undefined : elaborated.find(each => each.name === name)
  if (problem !== undefined || program === undefined) return problem?.message ?? 'it does not compile'
  const { summarize } = await cli.compiler()
  const { total } = summarize(program).memory
  return { batches: batchesOf(program), memory: typeof total === 'number' ? total : 0 }
}

function batchesOf({ steps, datasets }: Program): readonly number[] {
  const read = steps.filter(({ phase }) => phase === 'train').flatMap(({ streams }) => streams)
  return datasets.filter(({ name }) => read.some(({ data }) => data === name)).map(({ batch }) => batch)
}

/** The hyper that is asked for, or the only one that decides how large the batches of training are; found by trying. */
async function chooseHyper(
  program: Program,
  given: Hypers,
  asked: string | undefined,
  compiled: (hypers: Hypers) => Promise<Compiled | string>,
): Promise<Hyper> {
  const now = batchesOf(program).join()
  const known: Hyper[] = []
  for (const hyper of program.hypers) {
    if (hyper.type !== 'int' || (asked !== undefined && hyper.name !== asked)) continue
    const other = await compiled(new Map([...given, [hyper.name, String(anotherValue(hyper))]]))
    if (typeof other !== 'string' && other.batches.join() !== now) known.push(hyper)
  }
  const [only] = known
  if (only !== undefined && known.length === 1) return only
  const those = known.map(({ name }) => `\`${name}\``).join(', ')
  if (only !== undefined)
    throw badUsage(`several hypers decide the batch of training: ${those}`, 'Say which with --hyper NAME.')
  if (asked !== undefined) throw badUsage(`no int hyper \`${asked}\` decides the batch of training`)
  throw badUsage(
    `no hyper of \`${program.name}\` decides the batch of the data that it trains on`,
    'Declare one, `hyper batch_size: int = 32`, and give it to the data: `data d = D(batch: batch_size)`.',
  )
}

/** One that the domain allows. */
function anotherValue({ value, domain }: Hyper): number {
  const values = (domain?.values ?? []).map(Number)
  return values.find(each => each !== value) ?? Number(value) * 2
}

/** What the domain of the hyper allows of what is asked for. */
function sizesOf({ name, domain }: Hyper, options: TuneOptions): Sizes {
  const values = (domain?.values ?? []).map(Number)
  const [low = 1, high = Number.POSITIVE_INFINITY] = domain?.kind === 'choice' ? [] : values
  const from = Math.max(options.from ?? usual.from, low)
  const to = Math.min(options.to ?? usual.to, high)
  const wrong = [from, to].find(size => !Number.isInteger(size))
  if (wrong !== undefined) throw badUsage(`a batch of ${wrong} examples can't be`, 'Sizes are whole numbers.')
  if (from > to) throw badUsage(`there is no \`${name}\` from ${from} to ${to}`, 'See --from and --to.')
  if (domain?.kind !== 'choice') return { kind: 'range', from, to }
  return { kind: 'choice', values: values.filter(size => size >= from && size <= to) }
}
