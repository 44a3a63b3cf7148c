import { cpus, loadavg } from 'node:os'

export function median(numbers: readonly number[]): number {
  return [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN
}

/** What the numbers were measured on, and how busy it was when they were begun. */
export function machine(): string {
  const processor = cpus()[0]?.model ?? 'unknown processor'
  const [load = 0] = loadavg()
  return `Node ${process.version}, ${cpus().length} × ${processor}, load ${load.toFixed(1)}`
}
