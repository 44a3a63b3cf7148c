import type { Reporter, TrainingEvent } from '../events.ts'
import type { Numbers } from '../training.ts'
import {
  checkpointLines,
  endLine,
  epochLine,
  finalCheckpointLines,
  startLines,
  warningLines,
} from './lines.ts'
import { profileLines } from './profile.ts'
import { type ReportStream, writeLines } from './stream.ts'
import { elementLines, groupValues, metricsTable, withoutElements } from './table.ts'
import { Thinning } from './thinning.ts'

/** A line an epoch, where there aren't too many, and no control characters: for files, pipes and continuous integration. */
export function plainReporter(stream: ReportStream): Reporter {
  const page = new Page()
  return event => writeLines(stream, page.linesOf(event))
}

/** What is to stay of the events of a run, as lines of text. */
export class Page {
  private readonly prefixes = new Set<string>()
  private readonly thinning = new Thinning()

  /** Within `width`, epochs and tables take less room. */
  linesOf(event: TrainingEvent, width?: number): readonly string[] {
    notePrefix(this.prefixes, event)
    this.thinning.follow(event)
    if (event.kind === 'epoch_end' && !this.thinning.shows(event)) return []
    return plainLines(event, this.prefixes, width)
  }
}

/** Remembers the names that steps log under, which a value's full name alone doesn't tell. */
function notePrefix(prefixes: Set<string>, event: TrainingEvent): void {
  if (event.kind !== 'run_start') return
  for (const { phase, step } of event.steps) prefixes.add(step === undefined ? phase : `${phase}.${step}`)
}

function plainLines(event: TrainingEvent, prefixes: Iterable<string>, width?: number): readonly string[] {
  switch (event.kind) {
    case 'run_start':
      return startLines(event, width)
    case 'epoch_end':
      return [epochLine(event, prefixes, width)]
    case 'checkpoint_saved':
      return checkpointLines(event)
    case 'message':
      return [event.text]
    case 'warning':
      return warningLines(event)
    case 'run_end':
      return [endLine(event), ...finalValues(event.metrics, prefixes, width), ...finalCheckpointLines(event)]
    case 'profile':
      return profileLines(event, width)
    case 'epoch_start':
    case 'phase_start':
    case 'step':
    case 'record':
    case 'phase_end':
    case 'prediction':
    // Whoever called tells of errors.
    case 'run_error':
      return []
  }
}

/** A table of numbers, and below it what has several. */
function finalValues(values: Numbers, prefixes: Iterable<string>, width?: number): readonly string[] {
  const groups = groupValues(values, prefixes).map(withoutElements)
  const numbers = groups.map(group => group.numbers).filter(group => group.values.length > 0)
  return [...metricsTable(numbers, width), ...elementLines(groups.flatMap(({ elements }) => elements))]
}
