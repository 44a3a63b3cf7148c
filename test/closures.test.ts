/** Optimizers that look at their loss again, against PyTorch and the papers (scripts/oracles/closures.py). */
import { cpSync, readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import * as tf from '@tensorflow/tfjs-core'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { loadCheckpoint } from '../src/runtime/checkpoint.ts'
import type { Reporter } from '../src/runtime/events.ts'
import { train } from '../src/runtime/program.ts'
import {
  type Descent,
  modelOf,
  type OptimizerHolder,
  type ParameterState,
  type Training,
} from '../src/runtime/training.ts'
import { compileText, importProgram } from './kit/evaluate.ts'
import { lastingState } from './kit/everything.ts'
import { near } from './kit/near.ts'
import { quietly, temporaryFolder } from './kit/trainings.ts'

const closures = suite('closures')

type Rows = readonly (readonly number[])[]

interface Problem {
  readonly declarations: string
  /** The parameters, with their start. */
  readonly parameters: string
  readonly target: string
  readonly loss: string
  /** What the parameters are, element by element. */
  readonly elements: readonly string[]
}

const problems: Readonly<Record<string, Problem>> = {
  rosenbrock: {
    declarations: 'fn start() -> f32[2] = stack([-1.5, 2.0])',
    parameters: 'param w: f32[2] = start()',
    target: 'w',
    loss: '(1 - w[0]) ^ 2 + 100 * (w[1] - w[0] ^ 2) ^ 2',
    elements: ['w[0]', 'w[1]'],
  },
  quadratic: {
    declarations: `
      fn start() -> f32[2, 2] = stack([stack([3.0, -2.0]), stack([0.5, 1.0])])
      const SCALES = [1.0, 10.0, 0.1, 3.0]
      const CENTRE = [0.5, -1.0, 2.0, 0.0]`,
    parameters: 'param w: f32[2, 2] = start()',
    target: 'w',
    loss: 'sum(stack(SCALES) * (rearrange(w : a b -> (a b)) - stack(CENTRE)) ^ 2) + 0.5 * w[0, 0] * w[0, 1]',
    elements: ['w[0, 0]', 'w[0, 1]', 'w[1, 0]', 'w[1, 1]'],
  },
  logistic: {
    declarations: `
      fn start() -> f32[2] = stack([0.1, -0.2])
      const A = [0.5, 1.5, -1.0, 2.0, -0.5, 0.0, 1.0, -2.0]
      const B = [1.0, -0.5, 0.25, 1.0, -1.5, 0.75, 2.0, 0.5]
      const LABELS = [1.0, 1.0, 0.0, 1.0, 0.0, 0.0, 1.0, 0.0]`,
    parameters: 'param w: f32[2] = start()\n  param offset: f32 = 0.3',
    target: '[w, offset]',
    loss: 'mean(bce(w[0] * stack(A) + w[1] * stack(B) + offset, stack(LABELS))) + 0.05 * sum(w ^ 2)',
    elements: ['w[0]', 'w[1]', 'offset'],
  },
}

function textOf({ declarations, parameters, target, loss, elements }: Problem, optimizer: string) {
  return `${declarations}
train T {
  ${parameters}
  optimizer o = ${optimizer.replace('(', `(${target}, `)}
  step train() {
    minimize ${loss}
    ${elements.map((element, i) => `log x${i} = ${element} on step bar`).join('\n    ')}
  }
  trainer { updates: UPDATES, log_every: 1 }
}`
}

/** What a run came to, update by update: the loss before, the parameters after, and the looks at the loss. */
async function descent(problem: Problem, optimizer: string, updates: number): Promise<Rows> {
  const text = textOf(problem, optimizer).replace('UPDATES', `${updates}`)
  const training = await importProgram(compileText(text).programs[0]!)
  const looks = counted(training)
  const run = quietly()
  await train(training, run)
  const steps = run.events.flatMap(event => (event.kind === 'step' ? [event.values] : []))
  return steps.map((values, i) => [
    values.loss!,
    ...problem.elements.map((_, k) => values[`x${k}`]!),
    looks[i]!,
  ])
}

/** How often each update looks at the loss, the first look included. */
function counted({ optimizers }: Training): readonly number[] {
  const looks: number[] = []
  const { closure } = (optimizers[0] as OptimizerHolder).spec
  const update = closure!.update
  const counting: typeof update = (run, slots, descent, settings) => {
    looks.push(1)
    const closure: Descent['closure'] = at => {
      looks.push(looks.pop()! + 1)
      return descent.closure(at)
    }
    return update(run, slots, { ...descent, closure }, settings)
  }
  Object.assign(closure!, { update: counting })
  return looks
}

/** The cpu backend in 64-bit floats, as kit's `inDouble` does it, while a run is waited for. */
async function inDouble<T>(use: () => Promise<T>): Promise<T> {
  const single = Float32Array
  Reflect.set(globalThis, 'Float32Array', Float64Array)
  try {
    return await use()
  } finally {
    Reflect.set(globalThis, 'Float32Array', single)
  }
}

const oracle: Readonly<Record<string, Rows>> = JSON.parse(
  readFileSync(new URL('data/closures.json', import.meta.url), 'utf8'),
)

for (const [name, expected] of Object.entries(oracle)) {
  const [problem = '', ...rest] = name.split(' ')
  const call = rest.join(' ')
  closures(`${name} goes the oracle's way`, async () => {
    const rows = await inDouble(() => descent(problems[problem]!, call, expected.length))
    for (const [i, row] of expected.entries())
      near(rows[i]!.slice(0, row.length), row, 1e-6, `update ${i + 1}`)
  })
}

// ── In a run ────────────────────────────────────────────────────────────────────────────────────────────────────────

const noisy = `
dataset Points from inline(
  a: [0.5, 1.5, -1.0, 2.0, -0.5, 0.0, 1.0, -2.0],
  b: [1.0, -0.5, 0.25, 1.0, -1.5, 0.75, 2.0, 0.5],
  y: [1, 1, 0, 1, 0, 0, 1, 0],
) {
  field x: f32[2] = columns(0..2)
  field y: f32 = column(2)
}

/// Looks twice where it is, and tells whether it sees the same.
optimizer Looking(lr: float) {
  slot difference: f32 = 0
  update(param, grad, _t, loss, closure) {
    let again = closure(param)
    let away = closure(param + 1)
    let back = closure(param)
    let gaps = abs(again.loss - loss) + abs(back.loss - loss)
    set difference = difference + gaps + sum(abs(back.grad - again.grad)) + sum(abs(grad - again.grad))
    return param - lr * back.grad + 0 * away.grad
  }
}

module Net() {
  layer first = Linear(2, 8)
  layer norm = BatchNorm(8)
  layer drop = Dropout(0.5)
  layer head = Linear(8, 1)
  forward(x: f32[n, 2]) -> f32[n] {
    return rearrange(x |> first |> norm |> drop |> relu |> head : n 1 -> n)
  }
}

train T {
  data points = Points(batch: 3)
  model net = Net()
  metric seen = BinaryAccuracy()
  optimizer o = OPTIMIZER
  step train(batch) {
    let logits = net(batch.x)
    minimize bce(logits, batch.y)
    log seen(logits, batch.y)
  }
  trainer { epochs: 4, log_every: 1 }
}`

const compiledNoisy = (optimizer: string): Promise<Training> =>
  importProgram(compileText(noisy.replace('OPTIMIZER', optimizer)).programs[0]!)

const stateAt = async (folder: string) =>
  lastingState(await loadCheckpoint(join(folder, 'checkpoints', 'latest')))

closures('every look is at the same batch with the same draws', async () => {
  const runs = temporaryFolder()
  const { folder = '' } = await train(await compiledNoisy('Looking(net, lr: 0.1)'), { ...quietly(), runs })
  const { tensors } = await loadCheckpoint(join(folder, 'checkpoints', 'latest'))
  assert.equal([...tensors.get('slots/o/difference/*')!.data], [0])
})

closures('buffers, metrics and clocks see an update once', async () => {
  const seen: unknown[] = []
  for (const optimizer of ['Looking(net, lr: 0.0)', 'Sgd(net, lr: 0.0)']) {
    const runs = temporaryFolder()
    const {
      metrics,
      clocks,
      folder = '',
    } = await train(await compiledNoisy(optimizer), { ...quietly(), runs })
    const { tensors } = await loadCheckpoint(join(folder, 'checkpoints', 'latest'))
    const buffers = [...tensors].filter(([name]) => name.startsWith('weights/net.norm.'))
    assert.is(buffers.length, 4)
    seen.push([metrics, clocks.updates, buffers])
  }
  assert.equal(seen[0], seen[1])
})

for (const optimizer of [
  'Lbfgs(net, max_iter: 4, history: 3, line_search: true)',
  'Sam(net, lr: 0.1, momentum: 0.9)',
])
  closures(`${optimizer} goes on from every checkpoint as if it had not stopped`, async () => {
    const runs = temporaryFolder()
    const copies: string[] = []
    const reporter: Reporter = event => {
      if (event.kind !== 'checkpoint_saved' || event.name !== 'latest') return
      const copy = join(temporaryFolder(), 'T', 'v1')
      cpSync(dirname(dirname(event.path)), copy, {
        recursive: true,
        filter: path => basename(path) !== 'lock',
      })
      copies.push(copy)
    }
    const straight = await train(await compiledNoisy(optimizer), {
      backend: 'cpu',
      runs,
      saveEvery: 0,
      reporter,
    })
    const end = await stateAt(straight.folder!)
    assert.ok(copies.length >= 12, `${copies.length} checkpoints`)
    for (const copy of copies) {
      const checkpoint = join(copy, 'checkpoints', 'latest')
      const options = { ...quietly(), backend: 'cpu' as const, checkpoint, runs: dirname(dirname(copy)) }
      const resumed = await train(await compiledNoisy(optimizer), options)
      assert.equal(await stateAt(resumed.folder!), end, copy)
    }
  })

closures('what hooks freeze stays where it is', async () => {
  const text = noisy
    .replace('OPTIMIZER', 'Lbfgs(net, max_iter: 3)')
    .replace('trainer {', 'on train_epoch_end if epoch == 1 { freeze net.first }\n  trainer {')
  const training = await importProgram(compileText(text).programs[0]!)
  const values: number[][] = []
  const looking: Training = {
    ...training,
    hooks: [
      ...training.hooks,
      {
        on: { event: 'train_epoch_end' },
        run: async () => {
          const { parameters } = training.models[0]![modelOf]
          const first = parameters.find(({ path }) => path === 'net.first.weight')!
          const head = parameters.find(({ path }) => path === 'net.head.weight')!
          values.push([...first.variable!.dataSync()], [...head.variable!.dataSync()])
        },
        trace: 'test.ltm:1',
      },
    ],
  }
  await train(looking, quietly())
  const [, , first, head, firstAfter, headAfter] = values
  assert.equal(firstAfter, first)
  assert.not.equal(headAfter, head)
})

closures('an update that leads nowhere is told at its line, and moves nothing', async () => {
  const text = `
    optimizer Lost(lr: float) {
      update(param, grad, _t, _loss, closure) = closure(param + lr * grad / 0.0).grad
    }
    train T {
      param w: f32[2] = ones()
      optimizer o = Lost(w, lr: 0.1)
      step train() { minimize sum(w ^ 2) }
      trainer { epochs: 3, nonfinite: POLICY }
    }`
  const compiled = (policy: string) => importProgram(compileText(text.replace('POLICY', policy)).programs[0]!)
  const message = /where `o` would move to is not finite in epoch 1, batch 1; no parameter was moved/
  const stopping = await compiled('stop')
  await train(stopping, quietly()).then(
    () => assert.unreachable(),
    error => assert.match(error.message, message),
  )
  const run = quietly()
  const skipping = await compiled('skip')
  await train(skipping, run)
  assert.match(run.events.find(event => event.kind === 'warning')!.message, message)
  const [{ variable }] = skipping.models[0]![modelOf].parameters as [ParameterState]
  assert.equal([...variable!.dataSync()], [1, 1])
})

closures('tensors do not pile up over updates', async () => {
  const counts: number[] = []
  const training = await importProgram(
    compileText(textOf(problems.rosenbrock!, 'Lbfgs(lr: 0.01, max_iter: 2)').replace('UPDATES', '12'))
      .programs[0]!,
  )
  const hook = {
    on: { event: 'train_batch_end' },
    run: async () => void counts.push(tf.memory().numTensors),
    trace: 'test.ltm:1',
  }
  await train({ ...training, hooks: [...training.hooks, hook] }, quietly())
  assert.is(counts.at(-1), counts[3], counts.join())
})

closures.run()
