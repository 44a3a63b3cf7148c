import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { compile, emitProgram } from '../src/compiler.ts'
import { blocksOf, pages, programOf, readPage } from './kit/docs.ts'
import { library, libraryFiles } from './kit/files.ts'
import { graft, mutant, randomOf } from './kit/mutants.ts'
import { randomProgram } from './kit/programs/program.ts'

/**
 * The compiler takes any text: programs damaged at random give diagnostics or compile, and nothing else ever happens.
 * `LTM_FUZZ_SEED` and `LTM_FUZZ_COUNT` try others.
 */
const test = suite('fuzz')

const seed = Number(process.env.LTM_FUZZ_SEED ?? 1)
const count = Number(process.env.LTM_FUZZ_COUNT ?? 200)
/** A compilation of a small program takes milliseconds; one that takes this long of a processor, however busy that is, hardly ends. */
const mostMilliseconds = Number(process.env.LTM_FUZZ_MOST ?? 20_000)

const root = fileURLToPath(new URL('..', import.meta.url))

function programsIn(folder: string): readonly string[] {
  const names = readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
  return names
    .filter(name => name.endsWith('.ltm'))
    .sort()
    .map(name => join(root, folder, name))
}

interface Original {
  readonly folder: string
  readonly text: string
}

const docs = pages.flatMap(path => blocksOf(path, readPage(path)))

const originals: readonly Original[] = [
  ...[
    ...programsIn('examples'),
    ...programsIn('test/cases/syntax/programs'),
    ...programsIn('test/cases/check'),
    ...programsIn('test/cases/diagnostics'),
  ].map(path => ({ folder: dirname(path), text: readFileSync(path, 'utf8') })),
  ...docs.filter(block => block.info[0] === 'ltm').map(block => ({ folder: root, text: programOf(block) })),
  ...library.map(source => ({ folder: root, text: source.text })),
  ...Array.from({ length: 60 }, (_, i) => ({ folder: root, text: randomProgram(1000 * seed + i, 4) })),
]

/** Compiles a text, and emits the programs where there are no errors. */
function run({ folder, text }: Original): void {
  const files = libraryFiles(folder)
  const source = { name: 'mutant.ltm', text }
  const read = (path: string) => (path === source.name ? source : files.read(path))
  const { diagnostics, programs } = compile(source.name, { ...files, read })
  if (!diagnostics.some(each => each.severity === 'error'))
    for (const program of programs)
      emitProgram(program, { target: 'typescript', runtime: 'ltm-lang/runtime', directory: '"."' })
}

function problemOf(original: Original): string | undefined {
  const start = process.cpuUsage()
  try {
    run(original)
  } catch (error) {
    return error instanceof Error
      ? (error.stack ?? error.message).split('\n').slice(0, 4).join('\n')
      : String(error)
  }
  const { user, system } = process.cpuUsage(start)
  const took = (user + system) / 1000
  return took > mostMilliseconds ? `it took ${Math.round(took)} ms` : undefined
}

test('damaged programs give diagnostics', () => {
  const random = randomOf(seed)
  const failures: string[] = []
  for (let i = 0; i < count; i++) {
    const original = originals[Math.floor(random() * originals.length)]!
    const other = originals[Math.floor(random() * originals.length)]!
    const whole = random() < 0.3 ? graft(original.text, other.text, random) : original.text
    const text = random() < 0.9 ? mutant(whole, random) : whole
    const problem = problemOf({ ...original, text })
    if (problem !== undefined) failures.push(`mutant ${i} of seed ${seed}: ${problem}\n${text}`)
  }
  assert.is(failures.length, 0, failures.slice(0, 3).join('\n\n'))
})

test.run()
