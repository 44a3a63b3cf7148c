/**
 * How long `ltm check` works after its start, by the length of a program: `npm run bench`. Each number is the median of
 * several processes of their own; what is compared is measured in the same run.
 */
import { spawnSync } from 'node:child_process'
import { cpus } from 'node:os'
import { fileURLToPath } from 'node:url'

const sizes = [1_000, 2_000, 5_000, 10_000, 20_000]
const repetitions = 3

interface Sample {
  readonly lines: number
  readonly ms: number
  readonly cpuMs: number
  readonly diagnostics: number
  readonly instances: number
}

function once(lines: number): Sample {
  const script = fileURLToPath(new URL('checkOnce.ts', import.meta.url))
  const { stdout, stderr } = spawnSync(process.execPath, ['--import', 'tsx', script, String(lines)], {
    encoding: 'utf8',
  })
  if (stdout === '') throw new Error(stderr)
  return JSON.parse(stdout)
}

function median(numbers: readonly number[]): number {
  return [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN
}

console.log(`Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model ?? 'unknown processor'}\n`)
console.log(
  '| lines | ms | raw | ms of processor | raw | per line, against the first row | functions | diagnostics |',
)
console.log('| ---: | ---: | --- | ---: | --- | ---: | ---: | ---: |')
let base: number | undefined
for (const size of sizes) {
  const samples = Array.from({ length: repetitions }, () => once(size))
  const { lines, instances, diagnostics } = samples[0] ?? once(size)
  const wall = shown(samples.map(sample => sample.ms))
  const spent = samples.map(sample => sample.cpuMs)
  const each = median(spent) / lines
  base ??= each
  const ratio = (each / base).toFixed(2)
  console.log(`| ${lines} | ${wall} | ${shown(spent)} | ${ratio} | ${instances} | ${diagnostics} |`)
}

/** The median, and what it is the median of. */
function shown(numbers: readonly number[]): string {
  return `${median(numbers).toFixed(0)} | ${numbers.map(number => number.toFixed(0)).join(' ')}`
}
