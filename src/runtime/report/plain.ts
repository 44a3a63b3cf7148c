import type { Reporter, TrainingEvent } from '../events.ts'
import {
  checkpointLines,
  endLine,
  epochLine,
  finalCheckpointLines,
  startLines,
  warningLines,
} from './lines.ts'
import { type ReportStream, writeLines } from './stream.ts'
import { groupValues, metricsTable } from './table.ts'

/** One line an epoch and no control characters: for files, pipes and continuous integration. */
export function plainReporter(stream: ReportStream): Reporter {
  const prefixes = new Set<string>()
  return event => {
    notePrefix(prefixes, event)
    writeLines(stream, plainLines(event, prefixes))
  }
}

/** Remembers the names that steps log under, which a value's full name alone doesn't tell. */
export function notePrefix(prefixes: Set<string>, event: TrainingEvent): void {
  if (event.kind !== 'phase_start') return
  prefixes.add(event.step === undefined ? event.phase : `${event.phase}.${event.step}`)
}

/** What stays of an event on a page of text; within `width`, epochs and tables take less room. */
export function plainLines(
  event: TrainingEvent,
  prefixes: Iterable<string>,
  width?: number,
): readonly string[] {
  switch (event.kind) {
    case 'run_start':
      return startLines(event)
    case 'epoch_end':
      return [epochLine(event, prefixes, width)]
    case 'checkpoint_saved':
      return checkpointLines(event)
    case 'message':
      return [event.text]
    case 'warning':
      return warningLines(event)
    case 'run_end':
      return [
        endLine(event),
        ...metricsTable(groupValues(event.metrics, prefixes), width),
        ...finalCheckpointLines(event),
      ]
    case 'epoch_start':
    case 'phase_start':
    case 'step':
    case 'record':
    case 'phase_end':
    case 'prediction':
      return []
  }
}
