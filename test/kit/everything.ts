import { fileURLToPath } from 'node:url'
import type { Snapshot } from '../../src/runtime/contracts.ts'
import type { Training } from '../../src/runtime/training.ts'
import { compileIn, trainingOf } from './examples.ts'

const folder = fileURLToPath(new URL('.', import.meta.url))

/** The program with every kind of state, `everything.ltm`. */
export function everything(hypers: Record<string, string> = {}): Promise<Training> {
  return trainingOf(compileIn(folder, 'everything', hypers), folder)
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
  const lines = text.trimEnd().split('\n')
  return lines.map(line => {
    const { clocks, ...record } = JSON.parse(line)
    const { seconds: _, ...timeless } = clocks
    return JSON.stringify({ ...record, clocks: timeless })
  })
}
