/**
 * How long `ltm check` works, by the length of a program: `npm run bench check`. Each number is the median of several
 * processes of their own, with the least of them behind it; what is compared is measured in the same run.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { generate } from './generate.ts'
import { machine, median } from './numbers.ts'

const sizes = [1_000, 2_000, 5_000, 10_000, 20_000]
const repetitions = 7

interface Sample {
  /** From the process to a parser that is made, before anything of the program is read. */
  readonly startCpuMs: number
  /** From the text to the diagnostics. */
  readonly ms: number
  readonly cpuMs: number
  readonly diagnostics: number
  /** From the shell to the end of the process. */
  readonly wholeMs: number
  readonly wholeCpuMs: number
}

const pathOf = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url))

function once(program: string): Sample {
  const work = JSON.parse(node(pathOf('checkOnce.mjs'), program).stdout)
  const began = performance.now()
  const command = node('--import', pathOf('atExit.mjs'), pathOf('../dist/src/cli/main.js'), 'check', program)
  return { ...work, wholeMs: performance.now() - began, wholeCpuMs: Number(command.stderr) }
}

function node(...args: readonly string[]): { readonly stdout: string; readonly stderr: string } {
  const result = spawnSync(process.execPath, args, { encoding: 'utf8' })
  if (result.status !== 0) throw new Error(result.stderr)
  return result
}

/** The median and the least. */
function shown(numbers: readonly number[]): string {
  return `${median(numbers).toFixed(0)} | ${Math.min(...numbers).toFixed(0)}`
}

export function bench(): void {
  console.log(`${machine()}\n`)
  const measured = ['start, processor', 'work', 'work, processor', 'whole command', 'its processor']
  const columns = ['lines', ...measured.flatMap(name => [name, 'least']), 'per line', 'diagnostics']
  console.log(`| ${columns.join(' | ')} |`)
  console.log(`|${columns.map(() => ' ---: |').join('')}`)

  const folder = mkdtempSync(join(tmpdir(), 'ltm-bench-'))
  let base: number | undefined
  for (const size of sizes) {
    const program = join(folder, `lines${size}.ltm`)
    const text = generate(size)
    writeFileSync(program, text)
    const lines = text.split('\n').length - 1
    const samples = Array.from({ length: repetitions }, () => once(program))
    const each = Math.min(...samples.map(sample => sample.cpuMs)) / lines
    base ??= each
    const cells = [
      lines,
      shown(samples.map(sample => sample.startCpuMs)),
      shown(samples.map(sample => sample.ms)),
      shown(samples.map(sample => sample.cpuMs)),
      shown(samples.map(sample => sample.wholeMs)),
      shown(samples.map(sample => sample.wholeCpuMs)),
      (each / base).toFixed(2),
      samples[0]?.diagnostics,
    ]
    console.log(`| ${cells.join(' | ')} |`)
  }
  rmSync(folder, { recursive: true })
}
