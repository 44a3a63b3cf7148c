import type { Engine } from '../../../src/cli/engine.ts'
import type { Reporter } from '../../../src/runtime/events.ts'
import { apart } from '../apart.ts'
import { comparable, type End, runToEnd } from '../ends.ts'
import { type Engined, onEngine } from '../engines.ts'
import { temporaryFolder } from '../trainings.ts'
import { compiled, Fault } from './compiling.ts'

/** How far numbers of two engines may lie apart when a random program has ended: sums have other orders. */
const between = 1e-3

/** A program on both engines, and what they came to. */
export interface Runs {
  readonly engined: Readonly<Record<Engine, Engined>>
  readonly ends: Readonly<Record<Engine, End>>
}

/** Trains a program on both engines, which have to come to the same weights, slots, clocks and records. */
export async function checkEngines(text: string): Promise<Runs> {
  const program = compiled(text)
  const eager = await onEngine('eager', program, '.')
  const graphs = await onEngine('compiled', program, '.')
  const ends = { eager: await straight(eager), compiled: await straight(graphs) }
  const difference = apart(comparable(ends.eager), comparable(ends.compiled), between)
  if (difference !== undefined) throw new Fault(`comes to something else when it is compiled: ${difference}`)
  return { engined: { eager, compiled: graphs }, ends }
}

function straight(engined: Engined): Promise<End> {
  return runToEnd(engined, { runs: temporaryFolder(), saveEvery: 3600 })
}

/** Interrupts a run on each engine behind a batch, and lets it go on, on the same engine and on the other one. */
export async function checkResumed({ engined, ends }: Runs, batch: number): Promise<void> {
  for (const [from, other] of [
    ['eager', 'compiled'],
    ['compiled', 'eager'],
  ] as const) {
    const own = await resumed(engined[from], engined[from], batch)
    const difference = apart(comparable(ends[from]), comparable(own), 0)
    if (difference !== undefined)
      throw new Fault(`${from} and interrupted after batch ${batch} goes on another way: ${difference}`)
    const far = apart(
      comparable(ends[from]),
      comparable(await resumed(engined[from], engined[other], batch)),
      between,
    )
    if (far !== undefined)
      throw new Fault(`goes on another way when ${other} after ${from}, from batch ${batch}: ${far}`)
  }
}

async function resumed(first: Engined, then: Engined, batch: number): Promise<End> {
  const runs = temporaryFolder()
  const interruption = new AbortController()
  const reporter: Reporter = event => {
    if (event.kind === 'step' && event.clocks.batches >= batch) interruption.abort()
  }
  const { folder } = await runToEnd(first, { runs, saveEvery: 3600, reporter, signal: interruption.signal })
  return runToEnd(then, { runs, saveEvery: 3600, checkpoint: `${folder}/checkpoints/latest` })
}
