import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Reporter } from './events.ts'
import { part, withProbe } from './probe.ts'
import { Profiler } from './profiler.ts'

/** The file in a run's folder that Perfetto and `about:tracing` open. */
export const traceFile = 'profile.json'

/** Runs something with a profiler looking on. What it saw is told before the last event, also where the run fails. */
export function profiled<T>(run: (report: Reporter) => Promise<T>, reporter: Reporter): Promise<T> {
  const profiler = new Profiler()
  let folder: string | undefined
  const tell = () => {
    const path = folder === undefined ? undefined : writeTrace(profiler, folder)
    reporter({ kind: 'profile', ...profiler.profile(), ...(path !== undefined && { path }) })
  }
  return withProbe(profiler, () =>
    run(event => {
      if (event.kind === 'run_start') folder = event.folder
      if (event.kind === 'run_end' || event.kind === 'run_error') tell()
      part('reporting', () => reporter(event))
    }),
  )
}

function writeTrace({ events }: Profiler, folder: string): string {
  const path = join(folder, traceFile)
  const named = { name: 'process_name', ph: 'M', pid: 1, tid: 1, args: { name: 'ltm run' } }
  writeFileSync(path, JSON.stringify({ traceEvents: [named, ...events], displayTimeUnit: 'ms' }))
  return path
}
