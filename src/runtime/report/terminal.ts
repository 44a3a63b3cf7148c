import pc from 'picocolors'
import type { ClockValues, PhaseStart, Reporter, StepDone, TrainingEvent } from '../events.ts'
import { barLine, type Progress } from './bar.ts'
import { epochLabel } from './lines.ts'
import { Pace } from './pace.ts'
import { Page } from './plain.ts'
import { type ReportStream, writeLines } from './stream.ts'
import { epochsOf } from './thinning.ts'

/** A reporter that may have something on the screen which isn't to stay; closing removes it, also after an error. */
export interface ClosableReporter extends Reporter {
  /** Nothing has been told for so many seconds: what is on the screen says so, as wide as the terminal now is. */
  wait(seconds: number): void
  close(): void
}

/**
 * A progress bar on the terminal's last line, and above it what is to stay: a line for each epoch, messages, warnings,
 * at the end the table. Time is read off the events, so that the same events always give the same output.
 */
export function terminalReporter(
  stream: ReportStream,
  options: { readonly color?: boolean } = {},
): ClosableReporter {
  const colors = pc.createColors(options.color ?? (pc.isColorSupported && stream.isTTY === true))
  const bar = new Bar(stream, colors)
  const page = new Page()
  const report = (event: TrainingEvent): void => {
    bar.follow(event)
    const lines = page.linesOf(event, widthOfStream(stream))
    if (lines.length === 0) return
    bar.clear()
    writeLines(stream, paintLines(event, lines, colors))
  }
  return Object.assign(report, { wait: (seconds: number) => bar.wait(seconds), close: () => bar.clear() })
}

type Colors = ReturnType<typeof pc.createColors>

/** A line that fills the terminal makes some of them wrap. */
function widthOfStream(stream: ReportStream): number {
  return Math.max(1, (stream.columns || 80) - 1)
}

// ── What stays ──────────────────────────────────────────────────────────────────────────────────────────────────────

function paintLines(event: TrainingEvent, lines: readonly string[], colors: Colors): readonly string[] {
  switch (event.kind) {
    case 'run_start':
    case 'run_end':
      return lines.map((line, index) => (index === 0 ? colors.bold(line) : line))
    case 'epoch_end':
      return lines.map(line => paintEpoch(line, colors))
    case 'warning':
      return lines.map((line, index) => (index === 0 ? line.replace(/^warning[^:]*/, colors.yellow) : line))
    default:
      return lines
  }
}

function paintEpoch(line: string, colors: Colors): string {
  return line.replace(/^epoch +[\d/]+/, colors.bold).replace(/ · best$/, ` · ${colors.green('best')}`)
}

// ── The bar ─────────────────────────────────────────────────────────────────────────────────────────────────────────

/** More often than this, redrawing costs time that nobody sees. */
const secondsBetweenDraws = 0.1

const clearToEnd = '\x1b[K'

class Bar {
  private readonly stream: ReportStream
  private readonly colors: Colors
  private readonly pace = new Pace()
  private visible = false
  private drawn = Number.NEGATIVE_INFINITY
  /** What the pass under way has come to. */
  private latest: StepDone | PhaseStart | undefined
  private epoch = 0
  private epochs: number | undefined
  private expected: number | undefined
  private first: ClockValues | undefined

  constructor(stream: ReportStream, colors: Colors) {
    this.stream = stream
    this.colors = colors
  }

  follow(event: TrainingEvent): void {
    this.pace.follow(event)
    if (event.kind === 'run_start') this.expected = epochsOf(event)
    if (event.kind === 'epoch_start') {
      this.epoch = event.epoch
      this.epochs = event.epochs
    }
    if (event.kind === 'phase_end' || event.kind === 'run_end') this.latest = undefined
    if (event.kind === 'phase_start' || event.kind === 'step') this.latest = event
    if (event.kind === 'step') this.first ??= event.clocks
    if (event.kind !== 'step' || event.clocks.seconds - this.drawn < secondsBetweenDraws) return
    this.draw(this.progressOf(event))
    this.drawn = event.clocks.seconds
  }

  wait(seconds: number): void {
    if (this.latest === undefined) return
    const progress = this.latest.kind === 'step' ? this.progressOf(this.latest) : this.progressAt(this.latest)
    this.draw({ ...progress, waited: Math.floor(seconds) })
  }

  clear(): void {
    if (this.visible) this.stream.write(`\r${clearToEnd}`)
    this.visible = false
  }

  private draw(progress: Progress): void {
    const { bold, green, dim } = this.colors
    const paint = { label: bold, full: green, rest: dim }
    this.stream.write(`\r${barLine(progress, widthOfStream(this.stream), paint)}${clearToEnd}`)
    this.visible = true
  }

  private progressOf(event: StepDone): Progress {
    const total = this.epochsToTell(event)
    return total === undefined ? this.progressOfPass(event) : this.progressOfRun(event, total)
  }

  /** Where a pass begins. */
  private progressAt(event: PhaseStart): Progress {
    const total = this.epochsToTell(event)
    const nothing = { rate: undefined, values: {} }
    if (total !== undefined) return { label: 'epoch', done: this.epoch, total, ...nothing }
    return { label: this.labelOf(event, this.epoch), done: 0, total: event.batches, ...nothing }
  }

  private epochsToTell({ phase, batches }: StepDone | PhaseStart): number | undefined {
    return phase === 'train' && batches === 1 ? this.expected : undefined
  }

  /** Where an epoch is a single batch, the bar is that of the whole run. */
  private progressOfRun({ clocks, values }: StepDone, total: number): Progress {
    const batches = clocks.batches - (this.first?.batches ?? 0)
    const seconds = clocks.seconds - (this.first?.seconds ?? 0)
    const rate = batches > 0 && seconds > 0 ? batches / seconds : undefined
    return { label: 'epoch', done: clocks.epoch + 1, total, rate, values }
  }

  private progressOfPass(event: StepDone): Progress {
    const { clocks, batches, values } = event
    const rate = this.pace.rateOf(event)
    return {
      label: this.labelOf(event, clocks.epoch),
      done: clocks.batchIndex + 1,
      total: batches,
      rate,
      values,
    }
  }

  private labelOf({ phase, step }: StepDone | PhaseStart, epoch: number): string {
    const inEpoch = phase === 'train' || phase === 'val'
    const parts = [
      ...(inEpoch ? [epochLabel(epoch, this.epochs)] : []),
      ...(phase === 'train' ? [] : [phase]),
      ...(step === undefined ? [] : [step]),
    ]
    return parts.join(' ')
  }
}
