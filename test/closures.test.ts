/** Optimizers that look at their loss again, against PyTorch and the papers (scripts/oracles/closures.py). */
import { readFileSync } from 'node:fs'
import { suite } from 'uvu'
import { train } from '../src/runtime/program.ts'
import type { Descent, OptimizerHolder, Training } from '../src/runtime/training.ts'
import { compileText, importProgram } from './kit/evaluate.ts'
import { near } from './kit/near.ts'
import { quietly } from './kit/trainings.ts'

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

closures.run()
