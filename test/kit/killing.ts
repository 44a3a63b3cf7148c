import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { isDeepStrictEqual } from 'node:util'
import { newestTrained } from '../../src/cli/checkpoints.ts'
import type { Engine } from '../../src/cli/engine.ts'
import { emitProgram, formGraphs } from '../../src/compiler.ts'
import { programToJson } from '../../src/ir/json.ts'
import { systemCode } from '../../src/runtime/atomic.ts'
import { loadCheckpoint } from '../../src/runtime/checkpoint.ts'
import type { JsonValue } from '../../src/runtime/contracts.ts'
import { listIn, memberOf, numberIn, textIn } from '../../src/runtime/stored.ts'
import { lastingRecords, lastingState } from './everything.ts'
import { compileIn } from './examples.ts'

/** How the program with every kind of state is interrupted, again and again. */
export interface KillPlan {
  readonly engine: Engine
  /** An empty folder, where the program lies and its runs go. */
  readonly folder: string
  /** Where runs go instead: on another file system. */
  readonly runs?: string
  readonly kills: number
  readonly epochs: number
  readonly seed: number
  /** Fills the disk under `runs` in place of every other kill. */
  readonly fill?: boolean
  readonly tell?: (text: string) => void
}

/** What happened; `wrong` says what should not have. */
export interface KillCounts {
  kills: number
  full: number
  /** Runs that came to their end, each compared with the one that was left alone. */
  finished: number
  /** Kills that left a save half done. */
  duringSaves: number
  /** Newest checkpoints in the middle of a validation, with an open window, and with patience under way. */
  validations: number
  windows: number
  patience: number
  readonly wrong: string[]
}

const url = (path: string): string => JSON.stringify(new URL(`../../dist/src/${path}`, import.meta.url).href)

/** Writes the program, and a script that runs it on from its newest checkpoint and saves whenever it can. */
function writeProgram(folder: string, runs: string, { engine, epochs }: KillPlan): string {
  const own = fileURLToPath(new URL('.', import.meta.url))
  const eager = compileIn(own, 'everything', { length: `${epochs}` })
  const program = engine === 'compiled' ? formGraphs(eager) : eager
  const runtime = new URL('../../dist/src/runtime/index.js', import.meta.url).href
  const text = emitProgram(program, { target: 'javascript', runtime, directory: JSON.stringify(own) })
  writeFileSync(join(folder, 'everything.mjs'), text)
  writeFileSync(join(folder, 'everything.json'), programToJson(program))
  const script = join(folder, 'restless.mjs')
  writeFileSync(
    script,
    `
import { readFileSync } from 'node:fs'
import { training } from './everything.mjs'
import { graphsOf } from ${url('graphs.js')}
import { programFromJson } from ${url('ir/readJson.js')}
import { train } from ${url('runtime/index.js')}
import { newestTrained } from ${url('cli/checkpoints.js')}
const runs = ${JSON.stringify(runs)}
const program = new URL('everything.json', import.meta.url)
const graphs = ${engine === 'compiled'} ? graphsOf(programFromJson(readFileSync(program, 'utf8')), 'cpu') : undefined
const newest = await newestTrained(runs, 'Everything').catch(() => undefined)
let begun = false
const reporter = event => {
  if (event.kind === 'step' && !begun) console.log('begun')
  begun ||= event.kind === 'step'
}
try {
  await train(training, { backend: 'cpu', graphs, runs, saveEvery: 0, checkpoint: newest?.path, reporter })
  console.log('finished')
} catch (error) {
  console.log('failed', error.code ?? error.stack)
  process.exitCode = error.exitCode ?? 4
}
`,
  )
  return script
}

interface Life {
  readonly code: number | null
  readonly out: string
}

/** Runs the script; `meanwhile` begins with its first step. */
async function live(
  script: string,
  meanwhile: (kill: () => void, ended: AbortSignal) => Promise<void>,
): Promise<Life> {
  const child = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'inherit'] })
  const end = new AbortController()
  let out = ''
  child.stdout.setEncoding('utf8').on('data', (part: string) => {
    const first = out === ''
    out += part
    if (first) void meanwhile(() => child.kill('SIGKILL'), end.signal)
  })
  const [code] = await once(child, 'close')
  end.abort()
  return { code: typeof code === 'number' ? code : null, out }
}

/** Seeded, so that a failure can be repeated (Park and Miller's generator). */
function generator(seed: number): (limit: number) => number {
  let state = seed
  return limit => {
    state = (state * 48_271) % 2_147_483_647
    return state % limit
  }
}

/** Kills runs at random moments and lets them go on, until there were as many kills as planned and the last run has ended. */
export async function killAgainAndAgain(plan: KillPlan): Promise<KillCounts> {
  const { folder, kills, seed, fill = false, tell = () => {} } = plan
  const runs = plan.runs ?? join(folder, 'runs')
  const below = generator(seed)
  const straightFolder = join(folder, 'straight')
  mkdirSync(straightFolder)
  await live(writeProgram(straightFolder, join(straightFolder, 'runs'), plan), async () => {})
  const straight = await endOf(join(straightFolder, 'runs'))
  const script = writeProgram(folder, runs, plan)
  const counts: KillCounts = {
    ...{ kills: 0, full: 0, finished: 0, duringSaves: 0, validations: 0, windows: 0, patience: 0 },
    wrong: [],
  }
  for (let last = false; !last || counts.finished === 0; ) {
    last = counts.kills + counts.full >= kills
    const filling = fill && counts.full <= counts.kills
    const delay = below(700)
    const life = await live(script, async (kill, ended) => {
      if (last) return
      await wait(delay)
      if (ended.aborted) return
      if (filling) fillDisk(runs, below(30_000))
      else kill()
    })
    rmSync(join(runs, 'ballast'), { force: true })
    if (life.code === null) counts.kills += 1
    else if (life.out.includes('failed')) noteFailure(life, counts)
    if (life.out.includes('finished')) {
      counts.finished += 1
      if (!isDeepStrictEqual(await endOf(runs), straight))
        counts.wrong.push('a run ended as another than the straight one')
      rmSync(join(runs, 'Everything'), { recursive: true })
    } else await lookAt(runs, counts)
    if ((counts.kills + counts.full) % 20 === 0) tell(line(counts))
  }
  return counts
}

/** A disk without room ends a run with code 3 and says so; anything else is a fault. */
function noteFailure({ code, out }: Life, counts: KillCounts): void {
  if (code === 3 && /failed LTM(6504|6307|6303)/.test(out)) counts.full += 1
  else counts.wrong.push(`a run failed with ${code}: ${out}`)
}

function fillDisk(runs: string, spare: number): void {
  const { bavail, bsize } = statfsSync(runs)
  try {
    writeFileSync(join(runs, 'ballast'), Buffer.alloc(Math.max(0, bavail * bsize - spare)))
  } catch (error) {
    // The run may have taken some of the room meanwhile: then there is none left.
    if (systemCode(error) !== 'ENOSPC') throw error
  }
}

/** What a run came to: its state and its records. */
async function endOf(runs: string): Promise<unknown> {
  const { path } = await newestTrained(runs, 'Everything')
  const records = readFileSync(join(path, '../../records.jsonl'), 'utf8')
  return { state: lastingState(await loadCheckpoint(path)), records: lastingRecords(records) }
}

/** The newest checkpoint has to be whole, and none may be damaged. */
async function lookAt(runs: string, counts: KillCounts): Promise<void> {
  const versions = existsSync(join(runs, 'Everything')) ? readdirSync(join(runs, 'Everything')) : []
  const saves = versions.map(version => join(runs, 'Everything', version, 'checkpoints')).filter(existsSync)
  const hidden = saves.flatMap(save => readdirSync(save)).filter(name => name.startsWith('.'))
  if (hidden.length > 0) counts.duringSaves += 1
  if (saves.length === 0) return
  const found = await newestTrained(runs, 'Everything').catch(() => undefined)
  if (found === undefined) return
  for (const { message } of found.skipped) counts.wrong.push(message)
  noteState(found.state, counts)
}

function noteState(state: JsonValue, counts: KillCounts): void {
  const position = memberOf(state, 'position')
  if (memberOf(position, 'evaluation') !== null) counts.validations += 1
  if (listIn(state, 'windows').length > 0) counts.windows += 1
  const waited = numberIn(memberOf(memberOf(state, 'stalls'), 'trainer.stop.0'), 'waited')
  if (waited > 0) counts.patience += 1
  if (textIn(position, 'stage') === undefined)
    counts.wrong.push('a checkpoint does not tell where its run is')
}

/** The counts as a line. */
export function line(counts: KillCounts): string {
  const { kills, full, finished, duringSaves, validations, windows, patience, wrong } = counts
  return [
    `${kills} kills`,
    `${full} full disks`,
    `${duringSaves} during saves`,
    `newest state in a validation ${validations}, with an open window ${windows}, with patience under way ${patience}`,
    `${finished} finished runs compared`,
    `${wrong.length} wrong`,
  ].join(' · ')
}
