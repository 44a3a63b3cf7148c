import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { PNG } from 'pngjs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { StoredTensor } from '../src/runtime/contracts.ts'
import { predict, type RunResult, train } from '../src/runtime/program.ts'
import { rootKey, uniformArray } from '../src/runtime/random.ts'
import { encodeSafetensors } from '../src/runtime/safetensors.ts'
import { modelOf, type ParameterState, type TrainerOptions, type Training } from '../src/runtime/training.ts'
import { bytesOf, idx, npy, zip } from './kit/bytes.ts'
import { onEngine } from './kit/engines.ts'
import { compileIn, inFolder } from './kit/examples.ts'

const test = suite('programs that the language was designed by')

interface Trial {
  readonly name: string
  /** Small data of the right shape. */
  readonly files: Readonly<Record<string, string | Uint8Array>>
  readonly trainer: Partial<TrainerOptions>
  /** The text with smaller sizes. */
  readonly smaller?: (text: string) => string
  readonly logs: readonly string[]
  /** Makes the files that depend on what the program is. */
  readonly prepare?: (folder: string, training: Training) => void
  readonly predicts?: (rows: RunResult['predictions']) => void
}

const numbers = (count: number): Float32Array => uniformArray(rootKey(1), count)

/** A header, and rows whose last cell is the class that the first one tells. */
function table(rows: number, columns: number, classes: number): string {
  const values = numbers(rows * columns)
  const lines = Array.from({ length: rows }, (_, row) => {
    const cells = values.slice(row * columns, (row + 1) * columns)
    return [...cells, Math.floor((cells[0] ?? 0) * classes)].join()
  })
  return `${['header', ...lines].join('\n')}\n`
}

const words = ['a', 'good', 'book', 'bad', 'film', 'dull', 'fine', 'story']
function reviews(): string {
  const chosen = numbers(40 * 8)
  const lines = Array.from({ length: 40 }, (_, row) => {
    const text = Array.from(
      { length: 2 + (row % 6) },
      (_, i) => words[Math.floor(8 * (chosen[row * 8 + i] ?? 0))],
    )
    return JSON.stringify({ text: text.join(' '), stars: 1 + (row % 5) })
  })
  return lines.join('\n')
}

const trials: readonly Trial[] = [
  {
    name: '01-logistic-iris',
    files: { 'iris.csv': table(60, 4, 3) },
    trainer: { epochs: 3 },
    logs: ['train.accuracy', 'val.loss', 'test.accuracy'],
    predicts: rows => {
      assert.is(rows.length, 9)
      for (const { label } of rows) assert.ok([0, 1, 2].includes(Number(label)))
    },
  },
  {
    name: '03-vae',
    files: {
      'mnist-images.gz': gzipSync(
        idx(
          8,
          [40, 28, 28],
          Uint8Array.from(numbers(40 * 784), value => 255 * value),
        ),
      ),
    },
    trainer: { epochs: 2 },
    logs: ['train.elbo', 'train.rec', 'val.elbo'],
    predicts: rows => assert.equal(sizesOf(rows[0]?.image), [64, 784]),
  },
  {
    name: '04-wgan-gp',
    files: {
      'mnist-images.gz': gzipSync(
        idx(
          8,
          [50, 28, 28],
          Uint8Array.from(numbers(50 * 784), value => 255 * value),
        ),
      ),
    },
    trainer: { updates: { count: 2, of: 'g' } },
    smaller: text => text.replace('batch: 64', 'batch: 8'),
    logs: ['train.critic_loss', 'train.generator_loss', 'train.slope'],
    predicts: rows => assert.equal(sizesOf(rows[0]?.image), [100, 784]),
  },
  {
    name: '06-lstm-masks',
    files: { 'reviews.jsonl': reviews() },
    trainer: { epochs: 1 },
    smaller: text =>
      text.replaceAll('20000', '9').replace('[50, 100, 200]', '[4, 8]').replace('(9, 128)', '(9, 8)'),
    logs: ['train.aux', 'train.score', 'val.accuracy', 'val.perplexity'],
  },
  {
    name: '07-hmm',
    files: { 'series.npz': zip({ 'x.npy': npy('<f4', '12, 9', bytesOf(numbers(12 * 9))) }, true) },
    trainer: { epochs: 2 },
    logs: ['train.nll'],
    predicts: rows => {
      assert.is(rows.length, 12)
      assert.equal(sizesOf(rows[0]?.state), [9])
    },
  },
  {
    name: '13-pinn',
    files: {},
    trainer: { updates: { count: 3 }, validate: { count: 2, unit: 'updates' } },
    smaller: text => text.replaceAll('2000]', '200]').replaceAll('200]', '20]'),
    logs: ['train.residual', 'train.viscosity', 'val.size'],
  },
  {
    name: '15-fine-tune',
    files: { ...pictures(3, 4), 'vit.ltm': readFileSync(designOf('vit')) },
    // The backbone is let go at epoch 3, and validation has stalled by then.
    trainer: { epochs: 5 },
    prepare: (folder, training) => {
      const stored = parametersOf(training).filter(({ path }) => path.startsWith('net.backbone.'))
      const named = stored.map(({ path, spec: { shape } }): [string, StoredTensor] => [
        path.slice('net.'.length).replaceAll('[', '.').replaceAll(']', ''),
        { dtype: 'float32', shape, data: numbers(shape.reduce((a, b) => a * b, 1)).map(x => x - 0.5) },
      ])
      writeFileSync(join(folder, 'vit.safetensors'), Buffer.concat(encodeSafetensors(new Map(named))))
    },
    logs: ['train.accuracy', 'val.loss', 'val.accuracy', 'test.accuracy'],
  },
  {
    name: '16-custom-everything',
    files: { 'breast_cancer.csv': table(80, 30, 2) },
    trainer: { epochs: 2 },
    logs: ['train.auc.auroc', 'val.auc.auroc', 'val.auc.base_rate'],
  },
]

/** A folder of pictures for each of some kinds. */
function pictures(kinds: number, each: number): Readonly<Record<string, Uint8Array>> {
  const files = Array.from({ length: kinds * each }, (_, i): [string, Uint8Array] => {
    const picture = new PNG({ width: 8, height: 8, fill: true })
    picture.data.fill(20 + Math.floor((200 * i) / (kinds * each)))
    return [`pets/kind${Math.floor(i / each)}/${i}.png`, PNG.sync.write(picture)]
  })
  return Object.fromEntries(files)
}

function designOf(name: string): string {
  return fileURLToPath(new URL(`cases/design/${name}.ltm`, import.meta.url))
}

function parametersOf({ models }: Training): readonly ParameterState[] {
  return models.flatMap(model => model[modelOf].parameters)
}

function sizesOf(value: unknown): readonly number[] {
  return Array.isArray(value) ? [value.length, ...sizesOf(value[0])] : []
}

const engines = ['eager', 'compiled'] as const

for (const { name, files, trainer, smaller = (text: string) => text, logs, prepare, predicts } of trials)
  for (const engine of engines)
    test(`${name} checks, trains on small data and says what it logs: ${engine}`, () =>
      inFolder(async folder => {
        const source = designOf(name)
        const path = join(folder, `${name}.ltm`)
        cpSync(source, path)
        writeFileSync(path, smaller(readFileSync(path, 'utf8')))
        for (const [file, bytes] of Object.entries(files)) {
          mkdirSync(dirname(join(folder, file)), { recursive: true })
          writeFileSync(join(folder, file), bytes)
        }
        const { training: whole, graphs } = await onEngine(engine, compileIn(folder, name), folder)
        prepare?.(folder, whole)
        const training = { ...whole, trainer: { ...whole.trainer, ...trainer } }
        const runs = join(folder, 'runs')
        const { metrics, checkpoint } = await train(training, { backend: 'wasm', graphs, runs, seed: 5 })
        for (const log of logs) assert.ok(Number.isFinite(metrics[log]), `${log}: ${metrics[log]}`)
        if (!predicts) return
        // The checkpoint says by which seed the data was split, and so which means go with its weights.
        const options = { backend: 'wasm', graphs, runs: false, checkpoint } as const
        predicts((await predict(training, options)).predictions)
      }))

test.run()
