/**
 * How fast models are trained on a graphics card, against PyTorch and Lightning on CUDA: `npm run bench gpu`. Names behind it choose
 * sizes (`small`, `large`) and models (`mlp`, `conv`, `transformer`). What can't start here is named and left out: on ltm's side graphs on
 * `webgpu` and `cuda`, and kernels of TensorFlow.js on `webgpu` and `tensorflow`. Each number is the median of several processes of their
 * own, taken by turns; `LTM_BENCH_REPEATS` says how many, 5 unless it is set, and `LTM_BENCH_STEPS` how many steps, 300. Memory of the card, and the share of time in
 * which any kernel ran, are as `nvidia-smi` tells them; `LTM_BENCH_DEVICE=cpu` has PyTorch compute on the processor, to try this out.
 */
import { execFile, spawnSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { promisify } from 'node:util'
import { machine, median } from './numbers.ts'
import {
  type Contestant,
  ltm,
  main,
  pythonContestants,
  type Sizes,
  type Trained,
} from './training/contestants.ts'
import { workFolder } from './training/data.ts'

const repeats = Number(process.env.LTM_BENCH_REPEATS ?? 5)
const steps = Number(process.env.LTM_BENCH_STEPS ?? 300)
/** Shaders are made ready, and memory is taken, in the first steps. */
const skip = Math.ceil(steps / 6)
const device = process.env.LTM_BENCH_DEVICE ?? 'cuda'

const models = ['mlp', 'conv', 'transformer'] as const
type Model = (typeof models)[number]

const scales: Readonly<Record<string, Readonly<Record<Model, Sizes>>>> = {
  small: { mlp: {}, conv: {}, transformer: {} },
  large: {
    mlp: { width: 4096, batch_size: 512 },
    conv: { channels: 128, batch_size: 256 },
    transformer: { width: 512, depth: 8, heads: 8, batch_size: 64 },
  },
}

export async function bench(asked: readonly string[]): Promise<void> {
  const known: readonly string[] = [...models, ...Object.keys(scales)]
  const wrong = asked.find(name => !known.includes(name))
  if (wrong !== undefined) throw new Error(`there is no size and no model \`${wrong}\``)
  const { folder, data } = workFolder()
  try {
    console.log(`${machine()}; ${card() ?? 'no card that nvidia-smi knows'}. Data: ${data}.\n`)
    const ways = waysHere()
    for (const [scale, sizes] of Object.entries(scales).filter(chosen(asked, Object.keys(scales))))
      for (const model of models.filter(name => chosen(asked, models)([name])))
        await measure(`${model}, ${scale}`, model, [
          ...ways.map(([engine, backend]) => ltm(folder, engine, backend, sizes[model])),
          ...pythonContestants(folder, text => console.log(`${text}\n`), device, sizes[model]),
        ])
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Those that are asked for, or all where none of them is. */
function chosen(
  asked: readonly string[],
  all: readonly string[],
): (entry: readonly [string, ...unknown[]]) => boolean {
  const named = all.filter(name => asked.includes(name))
  return ([name]) => named.length === 0 || named.includes(name)
}

/** Engines and backends that start here, by what `ltm doctor` says. */
function waysHere(): readonly (readonly [engine: string, backend: string])[] {
  const { stdout } = spawnSync(process.execPath, [main, 'doctor', '--json'], { encoding: 'utf8' })
  const reports: readonly { name: string; available: boolean; detail: string }[] = JSON.parse(stdout).backends
  const all = [
    ['onnx-webgpu', 'compiled', 'webgpu'],
    ['onnx-cuda', 'compiled', 'cuda'],
    ['webgpu', 'eager', 'webgpu'],
    ['tensorflow', 'eager', 'tensorflow'],
  ] as const
  return all.flatMap(([name, engine, backend]) => {
    const report = reports.find(each => each.name === name)
    if (report?.available === true) return [[engine, backend] as const]
    console.log(`Not measured: ${name}, ${report?.detail ?? 'which is not known'}.\n`)
    return []
  })
}

interface Measured {
  readonly trained: Trained
  readonly load: CardLoad
}

async function measure(title: string, model: Model, contestants: readonly Contestant[]): Promise<void> {
  const results: Measured[][] = contestants.map(() => [])
  for (let round = 0; round < repeats; round++)
    for (let turn = 0; turn < contestants.length; turn++) {
      const index = (round + turn) % contestants.length
      results[index]!.push(await watched(() => contestants[index]!.train(model, steps, skip)))
    }
  console.log(`### ${title}: a step, from data to update\n`)
  console.log('| | ms | raw | s to the first | MB of the card | kernels run | last loss |')
  console.log('| --- | ---: | --- | ---: | ---: | ---: | ---: |')
  for (const [i, measured] of results.entries()) {
    const ms = measured.map(({ trained }) => trained.msPerStep)
    const cells = [
      contestants[i]!.name,
      median(ms).toFixed(3),
      ms.map(each => each.toFixed(3)).join(' '),
      median(measured.map(({ trained }) => trained.firstSeconds)).toFixed(2),
      shown(measured.map(({ load }) => load.mb)),
      shown(measured.map(({ load }) => load.busy)),
      measured.at(-1)?.trained.lastLoss.toFixed(3) ?? '',
    ]
    console.log(`| ${cells.join(' | ')} |`)
  }
  console.log('')
}

function shown(numbers: readonly (number | undefined)[]): string {
  const known = numbers.flatMap(number => number ?? [])
  return known.length === 0 ? '–' : median(known).toFixed(0)
}

// ── The card ────────────────────────────────────────────────────────────────────────────────────────────────────────

/** What a card came to: the most memory in MB above what it had before, and the percentage of time in which kernels ran. */
interface CardLoad {
  readonly mb: number | undefined
  readonly busy: number | undefined
}

const query = (what: string): readonly string[] => [`--query-gpu=${what}`, '--format=csv,noheader,nounits']

function card(): string | undefined {
  const { status, stdout } = spawnSync('nvidia-smi', query('name,driver_version'), { encoding: 'utf8' })
  return status === 0 ? stdout.trim() : undefined
}

const run = promisify(execFile)

async function look(): Promise<readonly [mb: number, busy: number] | undefined> {
  try {
    const { stdout } = await run('nvidia-smi', query('memory.used,utilization.gpu'))
    const [mb = Number.NaN, busy = Number.NaN] = stdout.split('\n')[0]!.split(',').map(Number)
    return [mb, busy]
  } catch {
    return undefined
  }
}

const msBetweenLooks = 250

/** Runs something, and looks at the card meanwhile. */
async function watched(train: () => Promise<Trained>): Promise<Measured> {
  const before = await look()
  const looks: (readonly [mb: number, busy: number])[] = []
  const timer = setInterval(async () => {
    const seen = await look()
    if (seen !== undefined) looks.push(seen)
  }, msBetweenLooks)
  try {
    const trained = await train()
    const busy = looks.map(([, share]) => share).filter(share => share > 0)
    const mb = before && looks.length > 0 ? Math.max(...looks.map(([used]) => used)) - before[0] : undefined
    return { trained, load: { mb, busy: busy.length === 0 ? undefined : median(busy) } }
  } finally {
    clearInterval(timer)
  }
}
