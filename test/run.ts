/**
 * Runs the test files, each in a process of its own: `node --import tsx test/run.ts [PATTERN…]`. A pattern is a part of
 * a file's name. The last line is `N passed, N failed`.
 */
import { spawn } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { closingLine, type Ended, notesIn, type Outcome, outcomeOf } from './kit/outcome.ts'

/** Test files train models; more at once than this only makes them wait for each other. */
const atOnce = 2
/** A file that takes longer hangs. */
const limitMs = 15 * 60 * 1000

const folder = fileURLToPath(new URL('.', import.meta.url))

function testFiles(patterns: readonly string[]): readonly string[] {
  const all = readdirSync(folder)
    .filter(name => name.endsWith('.test.ts'))
    .sort()
  return patterns.length === 0 ? all : all.filter(name => patterns.some(pattern => name.includes(pattern)))
}

/** The environment of a test: uvu's lines are read back, so nothing may colour them; graphs are neither taken from the user's cache nor put there. */
function environment(): NodeJS.ProcessEnv {
  const { FORCE_COLOR: _, ...rest } = process.env
  return { ...rest, NO_COLOR: '1', LTM_CACHE: 'off' }
}

function runFile(name: string): Promise<Ended> {
  const child = spawn(process.execPath, ['--import', 'tsx', `${folder}${name}`], {
    env: environment(),
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: limitMs,
  })
  const pieces: Buffer[] = []
  child.stdout.on('data', piece => pieces.push(piece))
  child.stderr.on('data', piece => pieces.push(piece))
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) =>
      resolve({ output: Buffer.concat(pieces).toString('utf8'), code, signal }),
    )
  })
}

function tell(name: string, outcome: Outcome, ended: Ended, seconds: number): void {
  const counts = `${outcome.passed} passed${outcome.failed > 0 ? `, ${outcome.failed} failed` : ''}`
  const problem = outcome.problem === undefined ? '' : ` – ${outcome.problem}`
  console.log(
    `${outcome.failed > 0 ? 'FAIL' : 'ok  '}  ${name}  ${counts}  (${seconds.toFixed(1)} s)${problem}`,
  )
  for (const note of notesIn(ended.output)) console.log(`      ${note}`)
  if (outcome.failed > 0) console.log(ended.output.trimEnd().replace(/^/gm, '      '))
}

async function runAndTell(name: string): Promise<Outcome> {
  const start = performance.now()
  const ended = await runFile(name)
  const outcome = outcomeOf(ended)
  tell(name, outcome, ended, (performance.now() - start) / 1000)
  return outcome
}

/** Every worker takes the next file until there is none. */
async function runAll(names: readonly string[]): Promise<readonly Outcome[]> {
  const waiting = [...names]
  const outcomes: Outcome[] = []
  const work = async () => {
    for (let name = waiting.shift(); name !== undefined; name = waiting.shift())
      outcomes.push(await runAndTell(name))
  }
  await Promise.all(Array.from({ length: atOnce }, work))
  return outcomes
}

const patterns = process.argv.slice(2)
const names = testFiles(patterns)
if (names.length === 0) console.log(`No test file is called anything like ${patterns.join(' or ')}.`)
const outcomes = await runAll(names)
console.log(`\n${closingLine(outcomes)}`)
process.exitCode = names.length === 0 || outcomes.some(outcome => outcome.failed > 0) ? 1 : 0
