import { fileURLToPath } from 'node:url'
import type { Engine } from '../../src/cli/engine.ts'
import type { Snapshot } from '../../src/runtime/contracts.ts'
import { type Engined, onEngine } from './engines.ts'
import { compileIn } from './examples.ts'

const folder = fileURLToPath(new URL('.', import.meta.url))

/** The program with every kind of state, `everything.ltm`, for an engine. */
export function everything(engine: Engine): Promise<Engined> {
  return onEngine(engine, compileIn(folder, 'everything'), folder)
}

/** What two runs have to agree in: all but times, and where and as what they are saved. */
export function lastingState({ tensors, state }: Snapshot): unknown {
  const timeless = JSON.parse(
    JSON.stringify(state, (name, value: unknown) =>
      ['seconds', 'validated', 'path', 'outdated', 'records'].includes(name) ? undefined : value,
    ),
  )
  return { state: timeless, tensors: [...tensors].map(([name, { shape, data }]) => [name, shape, [...data]]) }
}

/** The records of two runs have to be the same but for the seconds. */
export function lastingRecords(text: string): readonly string[] {
  const lines = text.split('\n').filter(line => line !== '')
  return lines.map(line => {
    const { clocks, ...record } = JSON.parse(line)
    const { seconds: _, ...timeless } = clocks
    return JSON.stringify({ ...record, clocks: timeless })
  })
}
