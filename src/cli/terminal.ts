import type { RenderOptions } from '../diagnostics/render.ts'
import type { Terminal } from './cli.ts'

/** Source lines are not shown wider than this, however wide the terminal is. */
const widest = 100

/** The terminal of this process. A reader that has gone away, as `head` does, ends it quietly. */
export function openTerminal(): Terminal {
  process.stdout.on('error', leaveQuietly)
  process.stderr.on('error', leaveQuietly)
  return {
    out: text => void process.stdout.write(text),
    err: text => void process.stderr.write(text),
    style: styleOf(process.stderr),
    page: styleOf(process.stdout),
  }
}

function styleOf(stream: NodeJS.WriteStream): RenderOptions {
  return { color: wantsColor(stream), width: Math.min(widest, stream.columns || widest) }
}

function leaveQuietly(error: NodeJS.ErrnoException): void {
  if (error.code === 'EPIPE') process.exit(0)
  throw error
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
