import { normalize } from 'node:path'
import { Command, Option } from 'commander'
import type { Source } from '../base/source.ts'
import type { Compilation } from '../compiler.ts'
import type { Renderable } from '../diagnostics/render.ts'
import { type ConstraintsOfFile, constraintsOf, type DeclaredConstraint } from '../laws/declared.ts'
import {
  argumentsOf,
  type Instance,
  requiredArguments,
  shapesFor,
  shownConstraint,
} from '../laws/instances.ts'
import { type Law, laws } from '../laws/laws.ts'
import { lawProgram } from '../laws/program.ts'
import type { Outcome, Place, Subject } from '../laws/subject.ts'
import { type ExitCode, exitCodes } from '../runtime/errors.ts'
import { badUsage, type Cli, Stop } from './cli.ts'
import { compileFile } from './compileFile.ts'
import { openFiles, requireProgram } from './files.ts'
import { afterHelp } from './help.ts'
import { type Hypers, setOption } from './hypers.ts'
import { lawProblem } from './lawProblems.ts'
import type { Compiler } from './ports.ts'
import { showWithSummary } from './show.ts'
import { seedOf } from './trainingCommand.ts'

interface Options {
  readonly backend: string
  readonly seed: number
  readonly set?: Hypers
}

/** `ltm test-constraints FILE`: the nine laws, for each constraint that a file declares. */
export function testConstraintsCommand(cli: Cli, finish: (code: ExitCode) => void): Command {
  const examples = ['ltm test-constraints scales.ltm', 'ltm test-constraints scales.ltm --set low=0 --seed 7']
  return new Command('test-constraints')
    .description('test the laws of the constraints that a file declares')
    .argument('<file>', 'an ltm file')
    .addOption(
      new Option('--backend <name>', 'what computes, compared with cpu')
        .choices(['tensorflow', 'webgpu', 'wasm', 'cpu'])
        .default('wasm'),
    )
    .addOption(setOption('give the constraints an argument'))
    .addOption(new Option('--seed <number>', 'other raw values').argParser(seedOf).default(0))
    .addHelpText('after', afterHelp(examples))
    .action(async (path: string, options: Options) => finish(await testConstraints(path, options, cli)))
}

async function testConstraints(path: string, options: Options, cli: Cli): Promise<ExitCode> {
  const { diagnostics } = await compileFile(path, cli)
  const errors = diagnostics.filter(each => each.severity === 'error')
  if (errors.length > 0) throw new Stop(exitCodes.program, `\`${path}\` has errors`, errors)
  const source = { ...requireProgram(path), name: normalize(path) }
  const file = constraintsOf(source)
  if (file.constraints.length === 0)
    throw new Stop(exitCodes.program, `\`${path}\` declares no constraint to test`)
  checkArgumentNames(options.set, file)
  const found = await tryAll(source, file, options, cli)
  const told = found.flatMap(each => (each.instance ? [each] : []))
  cli.terminal.out(`${told.map(table).join('\n\n')}${told.length > 0 ? '\n\n' : ''}`)
  const problems = found.flatMap(each => each.problems)
  if (problems.length > 0) showWithSummary(problems, cli)
  else cli.terminal.out(`${summary(told)}\n`)
  return problems.length > 0 ? exitCodes.program : exitCodes.ok
}

/** Refuses names that none of the constraints has an argument for. */
function checkArgumentNames(given: Hypers | undefined, { constraints }: ConstraintsOfFile): void {
  const known = [...new Set(constraints.flatMap(({ formals }) => formals.map(({ name }) => name.text)))]
  for (const name of given?.keys() ?? [])
    if (!known.includes(name))
      throw badUsage(
        `no constraint of the file has an argument \`${name}\``,
        known.length === 0 ? 'They have none.' : `Their arguments: ${known.join(', ')}.`,
      )
}

interface Found {
  /** Absent where the constraint could not be tried. */
  readonly instance?: Instance
  readonly subject?: Subject
  readonly outcomes: readonly { readonly law: Law; readonly outcome: Outcome }[]
  readonly problems: readonly Renderable[]
}

async function tryAll(
  source: Source,
  file: ConstraintsOfFile,
  options: Options,
  cli: Cli,
): Promise<readonly Found[]> {
  const compiler = await cli.compiler()
  const planned = file.constraints.flatMap(each =>
    instancesOf(source, file, each, options.set ?? new Map(), compiler),
  )
  const instances = planned.filter(each => 'args' in each)
  const { programs } = compileLaws(source, file, instances, compiler)
  const [program] = programs
  const { placeOf, subjectsOf } = await import('./lawSubjects.ts')
  const place = placeOf(options.backend)
  const subjects = program ? await subjectsOf(program, instances, compiler, cli.runtimeUrl) : []
  const tested: Found[] = planned.flatMap(each =>
    'args' in each ? [] : [{ outcomes: [], problems: [each] }],
  )
  for (const [i, instance] of instances.entries()) {
    const subject = subjects[i]
    if (subject) tested.push(await testOne(instance, subject, place, options.seed))
  }
  return tested
}

async function testOne(instance: Instance, subject: Subject, place: Place, seed: number): Promise<Found> {
  const outcomes: { law: Law; outcome: Outcome }[] = []
  for (const law of laws) outcomes.push({ law, outcome: await law.test(subject, place, seed) })
  return { instance, subject, outcomes, problems: outcomes.flatMap(each => brokenLaw(instance, each)) }
}

function compileLaws(
  source: Source,
  file: ConstraintsOfFile,
  instances: readonly Instance[],
  compiler: Compiler,
): Compilation {
  const text = lawProgram(file, instances)
  const files = openFiles()
  const read = (path: string) => (path === source.name ? { ...source, text } : files.read(path))
  return compiler.compile(source.name, { ...files, read })
}

/** What to try of a constraint: each list of arguments, on the first shape that fits; or why there is nothing to try. */
function instancesOf(
  source: Source,
  file: ConstraintsOfFile,
  declared: DeclaredConstraint,
  given: Hypers,
  compiler: Compiler,
): readonly (Instance | Renderable)[] {
  const lists = argumentsOf(declared, file, given)
  if (!lists) return [missingArguments(declared)]
  return lists.map(args => {
    const tried = shapesFor(declared, file).map(shape => ({ declared, args, shape }))
    const why: string[] = []
    const fits = tried.find(instance => {
      const { diagnostics } = compileLaws(source, file, [instance], compiler)
      const first = diagnostics.find(({ severity }) => severity === 'error')
      if (first) why.push(first.message)
      return !first
    })
    return fits ?? noneFits(declared, args, why[0])
  })
}

function missingArguments(declared: DeclaredConstraint): Renderable {
  const names = requiredArguments(declared)
  return lawProblem('LTM4011', {
    span: declared.span,
    message: `nothing says with which ${names.map(name => `\`${name}\``).join(' and ')} \`${declared.name}\` is to be tried`,
    help: `no parameter of this file is in it; give ${names.length === 1 ? 'it' : 'them'}: \`${names.map(name => `--set ${name}=1`).join(' ')}\``,
  })
}

function noneFits({ name, span }: DeclaredConstraint, args: string, why: string | undefined): Renderable {
  return lawProblem('LTM4012', {
    span,
    message: `\`${name}${args}\` can't be tried`,
    ...(why === undefined
      ? { help: 'its sizes are not told by small numbers; use it for a parameter of this file' }
      : { note: why }),
  })
}

// ── What is shown ───────────────────────────────────────────────────────────────────────────────────────────────────

function brokenLaw(instance: Instance, { law, outcome }: Found['outcomes'][number]): readonly Renderable[] {
  if (outcome.kind !== 'broken') return []
  const span = instance.declared.places.get(outcome.role) ?? instance.declared.span
  return [
    lawProblem('LTM4010', {
      span,
      message: `\`${shownConstraint(instance)}\` breaks the law \`${law.name}\`: ${outcome.problem}`,
    }),
  ]
}

function table({ instance, subject, outcomes }: Found): string {
  if (!instance || !subject) return ''
  const size = (shape: readonly number[]): string => `f32[${shape.join(', ')}]`
  const kind = instance.declared.bijective ? ', bijective' : ''
  const head = `${shownConstraint(instance)}: ${size(subject.shape)} from raw ${size(subject.raw)}${kind}`
  const lines = outcomes.map(({ law, outcome }) => {
    const word = { holds: 'ok', open: '–', broken: 'BROKEN' }[outcome.kind]
    return `  ${law.name.padEnd(9)} ${word.padEnd(7)} ${textOf(outcome)}`
  })
  return [head, ...lines].join('\n')
}

function textOf(outcome: Outcome): string {
  if (outcome.kind === 'holds') return outcome.what
  return outcome.kind === 'open' ? outcome.why : outcome.problem
}

function summary(found: readonly Found[]): string {
  const tested = found.flatMap(({ outcomes }) => outcomes).filter(({ outcome }) => outcome.kind === 'holds')
  const constraints = new Set(found.map(({ instance }) => instance?.declared)).size
  return `${constraints} constraint${constraints === 1 ? '' : 's'}, ${tested.length} laws hold.`
}
