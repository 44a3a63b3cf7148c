import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import * as tf from '@tensorflow/tfjs-core'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import '@tensorflow/tfjs-backend-cpu'
import { bug } from '../src/base/bug.ts'
import { seenFrom } from '../src/emit/tfjs/env.ts'
import { floatLiteral, shortFloat } from '../src/emit/tfjs/host.ts'
import { emitProgram } from '../src/emit/tfjs/program.ts'
import { parseProgram } from '../src/ir/parse.ts'
import { verify } from '../src/passes/verify.ts'
import { registerGradients } from '../src/runtime/gradients.ts'
import { type Key, rootKey } from '../src/runtime/random.ts'
import { modelOf, type Run, type Tensors, type Training } from '../src/runtime/training.ts'
import { expectFile, forEachCase, orphans } from './kit/cases.ts'

registerGradients()
const emit = suite('emitter')
const root = fileURLToPath(new URL('../', import.meta.url))
const options = { runtime: 'ltm-lang/runtime', directory: 'import.meta.dirname' } as const
const cases: { readonly name: string; readonly path: string; readonly input: string }[] = []

forEachCase('emit', ({ name, path, read }) => {
  const input = read('input.ir')
  cases.push({ name, path: path('expected/program.ts'), input })

  emit(`${name} reads as expected`, () => {
    const program = parseProgram(input)
    verify(program)
    const text = emitProgram(program, { ...options, target: 'typescript' })
    expectFile(path('expected/program.ts'), text)
    for (const line of text.split('\n')) {
      assert.ok(line.replace(/ +\/\/ \S+:\d+$/, '').length <= 110, `too wide: ${line}`)
      assert.ok(line.length <= 120, `too wide: ${line}`)
    }
    assert.not.match(text, /[ \t]$/m)
  })
})

emit('no expectation is left over', () => orphans('emit'))

emit('files are named as they are seen from the folder of the program', () => {
  assert.is(seenFrom('examples/digits/digits.ltm', 'examples/digits/digits.ltm'), 'digits.ltm')
  assert.is(seenFrom('examples/digits/digits.ltm', 'examples/lib/layers.ltm'), '../lib/layers.ltm')
  assert.is(seenFrom('examples\\digits.ltm', 'examples\\lib\\layers.ltm'), 'lib/layers.ltm')
  assert.is(seenFrom('digits.ltm', '../layers.ltm'), '../layers.ltm')
  assert.is(seenFrom('../a/digits.ltm', '../a/digits.ltm'), 'digits.ltm')
  assert.is(seenFrom('../a/digits.ltm', 'layers.ltm'), 'layers.ltm')
  assert.is(seenFrom('/home/digits.ltm', '/home/lib/layers.ltm'), 'lib/layers.ltm')
  assert.is(seenFrom('examples/digits.ltm', 'stdlib/layers.ltm'), 'stdlib/layers.ltm')
})

emit('numbers that become floats show no more digits than that takes', () => {
  for (const value of [1 / 3, -0.044194173824159216, 1.1754943508222875e-38, 16777217, 0.9189385332046727]) {
    assert.is(Math.fround(shortFloat(value)), Math.fround(value))
    assert.ok(String(shortFloat(value)).length <= String(value).length)
  }
  assert.is(floatLiteral(0.9189385332046727), '0.9189385')
  assert.is(floatLiteral(-Math.PI), '-Math.PI')
  assert.is(floatLiteral(1e-8), '1e-8')
})

// ── The checker, and JavaScript ─────────────────────────────────────────────────────────────────────────────────────

emit(
  'all cases pass the strict checker with nothing unused, and JavaScript is the same without types',
  () => {
    withFolder(folder => {
      const { stdout, status } = runChecker(folder)
      assert.is(stdout, '')
      assert.is(status, 0)
      for (const { name, path, input } of cases) {
        const stripped = readFileSync(join(folder, relative(root, path).replace(/\.ts$/, '.js')), 'utf8')
        const text = emitProgram(parseProgram(input), { ...options, target: 'javascript' })
        assert.is(bare(text), bare(stripped), name)
      }
    })
  },
)

function runChecker(folder: string) {
  const config = {
    extends: join(root, 'tsconfig.json'),
    compilerOptions: {
      paths: { 'ltm-lang/runtime': [join(root, 'src/runtime/index.ts')] },
      typeRoots: [join(root, 'node_modules/@types')],
      noEmit: false,
      outDir: folder,
      rootDir: root,
    },
    files: cases.map(({ path }) => path),
    include: [],
    exclude: [],
  }
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config))
  const tsc = join(root, 'node_modules/typescript/bin/tsc')
  return spawnSync(process.execPath, [tsc, '-p', folder], { encoding: 'utf8' })
}

/** A program's text without what layout decides: comments, spaces, semicolons, trailing commas. */
function bare(text: string): string {
  return text
    .replace(/\/\*[\s\S]*?\*\/|\/\/[^\n]*/g, '')
    .replace(/[\s;]+/g, '')
    .replace(/,(?=[)\]}])/g, '')
}

// ── Numbers ─────────────────────────────────────────────────────────────────────────────────────────────────────────

emit('a digits network computes what its formulas say', async () => {
  const { training, log, run } = await load('digits')
  const [data, adam, step] = [training.data[0]!, training.optimizers[0]!, training.steps[0]!]
  const fields = data.fields([tf.fill([2, 64], 16), tf.tensor1d([0, 3])], [], rootKey(0))
  assert.equal(fields[0]!.shape, [2, 1, 8, 8])
  await step.run(run, { size: 2, fields: { image: fields[0]!, label: fields[1]! } })

  const inner = gelu(64 * 0.01 * gelu(64 * 0.01))
  near(log.logits!, Array(20).fill(64 * 0.02 * inner))
  near(log.loss!, [Math.log(10), Math.log(10)])
  near(log['accuracy.correct']!, [1])
  near(log['accuracy.seen']!, [2])
  near(training.metrics[0]!.spec.compute({ correct: tf.scalar(1), seen: tf.scalar(2) }) as tf.Tensor, [0.5])

  const group = adam.spec.groups[0]!
  const settings = group.settings({ ...run, updates: () => 50 })
  assert.equal(settings, { lr: 0.0005, beta1: 0.9, beta2: 0.999, eps: 1e-8 })
  const moved = group.update({ m: tf.scalar(0), v: tf.scalar(0) }, tf.scalar(1), tf.scalar(2), 1, settings)
  near(moved.m!, [0.2])
  near(moved.v!, [0.004])
  near(moved.param!, [1 - 0.0005])
})

emit(
  'what was read before an update keeps its value, and constrained parameters are computed in the step',
  async () => {
    const { training, log, run } = await load('mixture')
    const [train, , predict] = training.steps
    await train!.run(run, { size: 2, fields: { x: tf.zeros([2, 4]) } })
    near(log.moved!, Array(12).fill(1))
    assert.is(training.vars!.warm, true)
    const result = (await predict!.run(run)) as Tensors
    // The raw weights moved from 0 to 1, against a fixed 0.
    const sum = 2 * Math.E + 1
    near(result.weight!, [Math.E / sum, Math.E / sum, 1 / sum])
  },
)

function gelu(x: number): number {
  return 0.5 * x * (1 + tf.erf(tf.scalar(x / Math.sqrt(2))).dataSync()[0]!)
}

function near(actual: tf.Tensor, expected: readonly number[]): void {
  const values = [...actual.dataSync()]
  assert.is(values.length, expected.length)
  for (const [i, value] of values.entries())
    assert.ok(Math.abs(value - expected[i]!) < 1e-5, `${value} is not ${expected[i]}`)
}

/** A generated program as JavaScript, its parameters at their start, and a run that writes down what is logged. */
async function load(name: string) {
  const program = parseProgram(cases.find(each => each.name === name)!.input)
  const runtime = new URL('../src/runtime/index.ts', import.meta.url).href
  const text = emitProgram(program, { ...options, runtime, target: 'javascript' })
  const training = await withFolder(async folder => {
    const file = join(folder, `${name}.mjs`)
    writeFileSync(file, text)
    const module: { readonly training: Training } = await import(pathToFileURL(file).href)
    return module.training
  })
  const key: Key = { high: 0, low: 0, at: () => key }
  for (const model of training.models) {
    for (const state of model[modelOf].parameters) state.variable = tf.variable(state.spec.init(key))
  }
  const log: Record<string, tf.Tensor> = {}
  return { training, log, run: fakeRun(training, key, log) }
}

/** A run whose `minimize` adds 1 to every parameter. */
function fakeRun(training: Training, key: Key, log: Record<string, tf.Tensor>): Run {
  const states = training.models.flatMap(model => model[modelOf].parameters)
  return {
    phase: 'train',
    key,
    epoch: 0,
    batchIndex: 0,
    batches: 1,
    examples: 0,
    seconds: 0,
    totalUpdates: 1,
    updatesPerEpoch: 1,
    updates: () => 0,
    minimize: async (_optimizer, _name, body) => {
      const result = body()
      Object.assign(log, result)
      for (const { variable } of states) variable!.assign(tf.add(variable!, 1))
      return result
    },
    compute: () => bug('no graph is emitted here'),
    move: () => bug('no graph is emitted here'),
    states: () => bug('no graph is emitted here'),
    differentiate: (_optimizer, _name, body) => ({ outputs: body(), minimize: async () => {} }),
    range: (from, to = 3) => Array.from({ length: to - from }, (_, i) => from + i),
    carry: (_, value) => value,
    log: (path, value) => {
      log[path] = typeof value === 'number' ? tf.scalar(value) : value
    },
    update: (path, metric, update) => {
      const start = Object.entries(metric.spec.states).map(([state, { shape }]) => [
        state,
        tf.zeros([...shape]),
      ])
      for (const [state, value] of Object.entries(update(Object.fromEntries(start))))
        log[`${path}.${state}`] = value
    },
    write: () => {},
    item: async value => (await value.data())[0]!,
    text: async value => String(typeof value === 'number' ? value : await value.data()),
    skip: () => {
      throw new Error('skipped')
    },
    stop: () => {},
    print: () => {},
    checkpoint: () => {},
    logged: () => Number.NaN,
    stalled: () => false,
    call: () => Promise.resolve(),
    told: { error: '', stage: '', path: '', optimizer: '', gradientNorm: Number.NaN },
    freeze: () => {},
    unfreeze: () => {},
  }
}

function withFolder<T>(use: (folder: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), 'ltm-emit-'))
  const remove = (): void => rmSync(folder, { recursive: true, force: true })
  try {
    const result = use(folder)
    if (result instanceof Promise) result.finally(remove).catch(() => {})
    else remove()
    return result
  } catch (error) {
    remove()
    throw error
  }
}

emit.run()
