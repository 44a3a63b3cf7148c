import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import * as assert from 'uvu/assert'
import type { TrainingEvent } from '../../src/runtime/events.ts'

/** Where the project is. */
export const root = fileURLToPath(new URL('../../', import.meta.url))

/** What `npm run build` made of the command line. */
export const built = `${root}dist/src/cli/main.js`

/** A process that has ended. */
export interface Ended {
  /** Null where a signal ended it. */
  readonly code: number | null
  readonly out: string
  readonly err: string
  /** The lines of its output that are events, as `--json` writes them. */
  readonly events: readonly TrainingEvent[]
}

/** What a test does to a process while it runs: it is shown each event once. */
export type Watch = (event: TrainingEvent, child: ChildProcess) => void

/** The command line as it is installed: what `npm run build` made of the sources. */
export function ltm(args: readonly string[], cwd: string, watch: Watch = () => {}): Promise<Ended> {
  assert.ok(existsSync(built), 'build the project first: npm run build')
  return node([built, ...args], cwd, watch)
}

/** Runs Node until it ends. */
export async function node(args: readonly string[], cwd: string, watch: Watch = () => {}): Promise<Ended> {
  const env = { ...process.env, NO_COLOR: '1' }
  const child = spawn(process.execPath, [...args], { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] })
  const written = { out: '', err: '' }
  const events: TrainingEvent[] = []
  let rest = ''
  child.stdout.setEncoding('utf8').on('data', (part: string) => {
    written.out += part
    const lines = (rest + part).split('\n')
    rest = lines.pop() ?? ''
    for (const event of lines.flatMap(eventOf)) {
      events.push(event)
      watch(event, child)
    }
  })
  child.stderr.setEncoding('utf8').on('data', (part: string) => {
    written.err += part
  })
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject).on('close', resolve)
  })
  return { code, ...written, events }
}

function eventOf(line: string): readonly TrainingEvent[] {
  return line.startsWith('{"kind":') ? [JSON.parse(line)] : []
}

/** The last event of a run: how it ended and what it came to. */
export function endOf({ events, err }: Ended): Extract<TrainingEvent, { kind: 'run_end' }> {
  const last = events.at(-1)
  if (last?.kind !== 'run_end') throw new Error(`The run did not end as a run does: ${err}`)
  return last
}

/** What the compiler has to say about TypeScript files, checked as strictly as the project's own; empty is good. */
export async function typeErrors(config: string): Promise<string> {
  const { out, err } = await node([`${root}node_modules/typescript/bin/tsc`, '-p', config], root)
  return out + err
}
