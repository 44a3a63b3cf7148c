import type { RenderOptions } from '../diagnostics/render.ts'
import { type ExitCode, exitCodes } from '../runtime/errors.ts'
import type { Reporter } from '../runtime/events.ts'
import { watchInterrupts } from '../runtime/interrupts.ts'
import type { ClosableReporter } from '../runtime/report/terminal.ts'
import type { Terminal } from './cli.ts'

/** Source lines are not shown wider than this, however wide the terminal is. */
const widest = 100

/** The terminal of this process. A reader that has gone away, as `head` does, ends it quietly by `leave`. */
export function openTerminal(leave: (code: ExitCode) => void): Terminal {
  const leaveQuietly = (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
    leave(exitCodes.ok)
  }
  process.stdout.on('error', leaveQuietly)
  process.stderr.on('error', leaveQuietly)
  return {
    out: text => void process.stdout.write(text),
    err: text => void process.stderr.write(text),
    style: styleOf(process.stderr),
    page: styleOf(process.stdout),
    reporter: async ({ json, beside }) => liveReporter(json, beside ? process.stderr : process.stdout),
    interrupts: () => watchInterrupts(text => void process.stderr.write(text)),
  }
}

/** Milliseconds between two looks at what a run is at. */
const glance = 1000

/** Shows that a run goes on also while it tells nothing, in the width that the terminal has at the time. */
async function liveReporter(json: boolean, stream: NodeJS.WriteStream): Promise<ClosableReporter> {
  const { chooseReporter } = await import('../runtime/report/choose.ts')
  const reporter = chooseReporter({ json, stream })
  let told = performance.now()
  const glanceAt = () => reporter.wait((performance.now() - told) / 1000)
  const timer = setInterval(glanceAt, glance).unref()
  stream.on('resize', glanceAt)
  const report: Reporter = event => {
    told = performance.now()
    reporter(event)
  }
  const close = () => {
    clearInterval(timer)
    stream.off('resize', glanceAt)
    reporter.close()
  }
  return Object.assign(report, { wait: reporter.wait, close })
}

function styleOf(stream: NodeJS.WriteStream): RenderOptions {
  return { color: wantsColor(stream), width: Math.min(widest, stream.columns || widest) }
}

/** https://no-color.org and https://force-color.org; else a terminal that can. */
function wantsColor(stream: NodeJS.WriteStream): boolean {
  if (process.env.NO_COLOR) return false
  if (process.env.FORCE_COLOR) return process.env.FORCE_COLOR !== '0'
  return stream.isTTY === true && process.env.TERM !== 'dumb'
}

/** Waits until all that was written has left the process. */
export async function flush(): Promise<void> {
  for (const stream of [process.stdout, process.stderr]) {
    await new Promise<void>(resolve => stream.write('', () => resolve()))
  }
}
