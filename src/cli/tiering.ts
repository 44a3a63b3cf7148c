import { setFlagsFromString } from 'node:v8'

/** Commands that are done within a second or two, which no training follows. */
const shortCommands: readonly string[] = ['check', 'explain', 'fmt', 'ir', 'build', 'summary']

/**
 * V8 compiles anew, at length, what has run for a while. What ends soon after never gets that time back: a check of 1,000
 * lines spent half of its processor time so. For short commands it waits until a function has run about fifteen times as
 * long, which long programs still reach.
 */
export function optimizeLate(command: string | undefined): void {
  if (command === undefined || !shortCommands.includes(command)) return
  const [major = 0] = process.versions.v8.split('.').map(Number)
  // The name of the threshold changed when Maglev, which compiles fast, came between the interpreter and TurboFan.
  setFlagsFromString(major < 12 ? '--interrupt-budget=1000000' : '--invocation-count-for-turbofan=45000')
  // Nearly all that a compiler makes lives until it ends, and the young generation, which begins with a megabyte and doubles,
  // would be copied dozens of times: it takes its largest size at once.
  if (major < 12) setFlagsFromString('--semi-space-growth-factor=16')
}
