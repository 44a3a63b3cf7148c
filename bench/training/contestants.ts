import { spawnSync } from 'node:child_process'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Ended, follow } from './process.ts'

/** One way to train the models. */
export interface Contestant {
  readonly name: string
  /** Trains a model so many steps; `skip` are left out of what is measured. */
  train(model: string, steps: number, skip: number): Promise<Trained>
}

export interface Trained {
  /** From the end of the last step that was left out to the end of the last one, by their number. */
  readonly msPerStep: number
  /** The same for the first and the last fifth of the steps. */
  readonly early: number
  readonly late: number
  /** From the shell to the end of the first step. */
  readonly firstSeconds: number
  readonly lastLoss: number
  readonly ended: Ended
}

export const main = fileURLToPath(new URL('../../dist/src/cli/main.js', import.meta.url))
const python = (script: string) => fileURLToPath(new URL(`../python/${script}`, import.meta.url))
const threads = cpus().length

/** Sizes of a model in the place of its own, by the names of the hypers of `bench/programs`. */
export type Sizes = Readonly<Record<string, number>>

/** The engines of `ltm run` that this machine has, and PyTorch and Lightning where Python has them. */
export function contestants(folder: string, tell: (text: string) => void): readonly Contestant[] {
  const engines = engineNames().map(engine => ltm(folder, engine))
  return [...engines, ...pythonContestants(folder, tell)]
}

/** The command that trains a program, without what it trains. */
export function ltmRun(engine: string | undefined): readonly string[] {
  return [main, 'run', '--json', ...(engine === undefined ? [] : ['--engine', engine])]
}

/** Undefined is the only engine of a version that has no choice. */
export function engineNames(): readonly (string | undefined)[] {
  const { stdout } = spawnSync(process.execPath, [main, 'run', '--help'], { encoding: 'utf8' })
  return stdout.includes('--engine') ? ['compiled', 'eager'] : [undefined]
}

export function hasPython(modules: readonly string[]): boolean {
  return spawnSync('python3', ['-c', `import ${modules.join(', ')}`]).status === 0
}

/** Whether PyTorch can compute on a device. */
function hasDevice(device: string): boolean {
  return spawnSync('python3', ['-c', `import torch; torch.zeros(1, device="${device}")`]).status === 0
}

/** `digits.py` and the like, as they are started. */
export function runPython(
  script: string,
  args: readonly string[],
  folder: string,
  settings: Readonly<Record<string, string>> = {},
): Promise<Ended> {
  return follow('python3', [python(script), ...args, String(threads)], folder, settings)
}

export function ltm(
  folder: string,
  engine: string | undefined,
  backend?: string,
  sizes: Sizes = {},
): Contestant {
  const on = backend === undefined ? [] : ['--backend', backend]
  return {
    name: ['ltm', engine ?? 'eager', ...(backend === undefined ? [] : [backend])].join(', '),
    async train(model, steps, skip) {
      const set = Object.entries({ steps, ...sizes }).flatMap(([name, value]) => [
        '--set',
        `${name}=${value}`,
      ])
      const args = [...ltmRun(engine), ...on, join(folder, `${model}.ltm`), ...set]
      return trainedByEvents(await follow(process.execPath, args, folder), skip)
    },
  }
}

interface Moment {
  readonly batches: number
  readonly seconds: number
}

/** Of the events of steps there are few, but each tells how many batches have been done, and since when. */
function trainedByEvents(ended: Ended, skip: number): Trained {
  const events = ended.lines.map(line => ({ at: line.seconds, event: JSON.parse(line.text) }))
  const done = events.filter(({ event }) => event.kind === 'step')
  const moments: Moment[] = done.map(({ event }) => event.clocks)
  const end = events.find(({ event }) => event.kind === 'epoch_end' && event.last)?.event
  const measured = moments.filter(({ batches }) => batches >= skip)
  return {
    msPerStep: pace(measured),
    early: pace(measured.filter(({ batches }) => batches - skip <= share(measured, 0.2))),
    late: pace(measured.filter(({ batches }) => batches - skip >= share(measured, 0.8))),
    firstSeconds: done[0]?.at ?? Number.NaN,
    lastLoss: end?.values['train.loss'] ?? Number.NaN,
    ended,
  }
}

function share(moments: readonly Moment[], part: number): number {
  return part * ((moments.at(-1)?.batches ?? 0) - (moments[0]?.batches ?? 0))
}

/** Milliseconds for each batch between the first moment and the last. */
function pace(moments: readonly Moment[]): number {
  const [first, last] = [moments[0], moments.at(-1)]
  if (first === undefined || last === undefined) return Number.NaN
  return ((last.seconds - first.seconds) * 1000) / (last.batches - first.batches)
}

/** PyTorch and Lightning on the processor, or on a device of PyTorch's. */
export function pythonContestants(
  folder: string,
  tell: (text: string) => void,
  device = 'cpu',
  sizes: Sizes = {},
): readonly Contestant[] {
  const settings = { LTM_DEVICE: device, LTM_SIZES: JSON.stringify(sizes) }
  const all = [
    { name: 'PyTorch', script: 'bare.py', needs: ['torch'] },
    { name: 'Lightning', script: 'fit.py', needs: ['torch', 'lightning'] },
  ]
  return all.flatMap(({ name, script, needs }) => {
    const onDevice = device === 'cpu' || hasDevice(device)
    if (hasPython(needs) && onDevice) return [pythonScript(name, script, folder, settings)]
    const lacks = onDevice ? `\`python3\` has no ${needs.at(-1)}` : `PyTorch finds no ${device}`
    tell(`Not compared with ${name}: ${lacks}.`)
    return []
  })
}

function pythonScript(
  name: string,
  script: string,
  folder: string,
  settings: Readonly<Record<string, string>>,
): Contestant {
  return {
    name,
    async train(model, steps, skip) {
      const ended = await runPython(script, [model, folder, String(steps)], folder, settings)
      const first = ended.lines.find(({ text }) => text === 'first step')
      const { ms, losses } = JSON.parse(ended.lines.at(-1)?.text ?? '{}')
      const measured: readonly number[] = ms.slice(Math.max(skip - 1, 0))
      const fifth = Math.ceil(measured.length / 5)
      return {
        msPerStep: mean(measured),
        early: mean(measured.slice(0, fifth)),
        late: mean(measured.slice(-fifth)),
        firstSeconds: first?.seconds ?? Number.NaN,
        lastLoss: mean(losses.slice(-fifth)),
        ended,
      }
    },
  }
}

function mean(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0) / numbers.length
}
