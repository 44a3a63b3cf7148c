/** `ltm summary`: what it counts against PyTorch and by hand, and how it tells. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Program } from '../src/ir/ir.ts'
import { type StepSummary, type Summary, summarize } from '../src/summary/summarize.ts'
import { expectFile, forEachCase, orphans } from './kit/cases.ts'
import { compileText } from './kit/evaluate.ts'
import { ltm, root } from './kit/process.ts'

const test = suite('summary')

interface Counted {
  readonly parameters: number
  readonly forward: number
  readonly backward: number
}
const oracle: Readonly<Record<'convolutions' | 'transformer', Counted>> = JSON.parse(
  readFileSync(join(root, 'test/data/multiply-adds.json'), 'utf8'),
)

function summaryOf(text: string, sizes: Readonly<Record<string, number>> = {}): Summary {
  const elaborated: Program[] = []
  const { diagnostics, programs } = compileText(text, (pass, program) => {
    if (pass === 'elaborate') elaborated.push(program)
  })
  assert.equal(diagnostics, [])
  assert.is(programs.length, 1)
  return summarize(elaborated[0]!, new Map(Object.entries(sizes)))
}

async function jsonOf(...args: readonly string[]): Promise<Summary> {
  const { code, out, err } = await ltm(['summary', ...args, '--json'], root)
  assert.is(code, 0, err)
  return JSON.parse(out)
}

function trainStep({ steps }: Summary): StepSummary {
  const [step] = steps.filter(({ phase }) => phase === 'train')
  assert.ok(step)
  return step!
}

function counted(summary: Summary): Counted {
  const { forward, backward } = trainStep(summary)
  return { parameters: Number(summary.parameters.all), forward: Number(forward), backward: Number(backward) }
}

test('the multiply-adds of convolutions, and those of their gradients, are as PyTorch counts them', async () => {
  assert.equal(counted(await jsonOf('examples/digits/digits.ltm')), oracle.convolutions)
})

test('so are those of a transformer, once the length of the texts is said', async () => {
  const path = 'test/cases/summary/transformer/program.ltm'
  assert.equal(counted(await jsonOf(path, '--size', 't=20')), oracle.transformer)
  const open = await jsonOf(path)
  assert.is(trainStep(open).forward, '1024 * t ^ 2 + 212992 * t')
  assert.is(1024 * 20 ** 2 + 212992 * 20, oracle.transformer.forward)
})

const small = (body: string, train = '') => `
dataset Points from synthetic(8) { field x: f32[3] = normal() }
module Net() {
  layer a = Linear(3, 4, bias: false)
  layer b = Linear(4, 2)
  forward(x: f32[n, 3]) -> f32[n, 2] = b(relu(a(x)))
}
train T {
  data points = Points(batch: 8)
  model net = Net()
  optimizer adam = Adam(net, lr: 0.1)
  ${train}
  step train(batch) {
    ${body}
  }
  trainer { epochs: 1 }
}
`

test('by hand: a gradient reads the inputs of products, and what a relu let through', () => {
  const summary = summaryOf(small('minimize sum(net(batch.x) ^ 2, axis: 1)'))
  const { forward, backward, kept } = trainStep(summary)
  // x @ aᵀ: 8·3·4, h @ bᵀ: 8·4·2; of the gradients that of x is not wanted.
  assert.is(forward, 96 + 64)
  assert.is(backward, 96 + 2 * 64)
  const [net] = summary.modules
  assert.equal(
    net!.modules.map(({ name, type, multiplyAdds, parameters }) => ({
      name,
      type,
      multiplyAdds,
      parameters,
    })),
    [
      { name: 'a', type: 'Linear', multiplyAdds: 96, parameters: 12 },
      { name: 'b', type: 'Linear', multiplyAdds: 64, parameters: 10 },
    ],
  )
  // The products' other operands are transposes that the program makes: bᵀ (8 numbers). Then what relu was given (32) and
  // gave (32), the outputs (16) of which the square is taken.
  assert.is(kept, 4 * (8 + 32 + 32 + 16))
})

test('what is frozen has no gradient, no slots, and nothing is kept for it', () => {
  const all = summaryOf(small('minimize sum(net(batch.x) ^ 2, axis: 1)'))
  const some = summaryOf(small('minimize sum(net(batch.x) ^ 2, axis: 1)', 'freeze net.a'))
  assert.equal(some.parameters, { all: 22, trained: 10, frozen: 12 })
  assert.equal([all.memory.slots, some.memory.slots], [2 * 4 * 22, 2 * 4 * 10])
  assert.is(trainStep(some).backward, 64)
})

test('a loop does its work once a round, be it one over an axis or one of the host', () => {
  const along = `let h = for row in along(batch.x, axis: 1) { yield net(batch.x + row[.., _]) }
    minimize sum(h ^ 2)`
  const counted = trainStep(summaryOf(small(along)))
  assert.equal([counted.forward, counted.backward], [3 * 160, 3 * (96 + 2 * 64)])
  const host = `for i in 0..5 { log size = mean(net(batch.x)) }
    minimize sum(net(batch.x) ^ 2)`
  assert.is(trainStep(summaryOf(small(host))).forward, 6 * 160)
})

forEachCase('summary', ({ name, path }) => {
  test(`${name}: the tables`, async () => {
    const { code, out, err } = await ltm(['summary', `test/cases/summary/${name}/program.ltm`], root)
    assert.is(code, 0, err)
    expectFile(path('expected.txt'), out)
  })
})

test('`--depth` shows fewer modules, and a hyper sets the batch', async () => {
  const { out } = await ltm(
    ['summary', 'examples/digits/digits.ltm', '--depth', '1', '--batch_size', '64'],
    root,
  )
  assert.match(out, /^net +ConvNet +f32\[64, 1, 8, 8\] +f32\[64, 10\] +25,866 +38\.5M$/m)
  assert.not.match(out, 'first')
})

test('a size that is not open, and a depth that is no number, are refused by name', async () => {
  const path = 'test/cases/summary/transformer/program.ltm'
  const wrong = await ltm(['summary', path, '--size', 'words=4'], root)
  assert.is(wrong.code, 2)
  assert.match(wrong.err, 'there is no size `words` that only the data tells\nOnly the data tells: t.')
  const closed = await ltm(['summary', 'examples/digits/digits.ltm', '--size', 't=4'], root)
  assert.match(closed.err, 'All of its sizes are known.')
  assert.is((await ltm(['summary', path, '--size', 't'], root)).code, 2)
  assert.is((await ltm(['summary', path, '--depth', 'x'], root)).code, 2)
})

test('nothing is left over', () => orphans('summary'))

test.run()
