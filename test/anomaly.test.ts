/** `ltm run --detect-anomaly`: the first operator that makes a NaN or an infinity, found by running its step again. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { RunErrorEvent } from '../src/runtime/events.ts'
import { ltm } from './kit/process.ts'

const test = suite<{ folder: string }>('anomaly')

test.before.each(context => {
  context.folder = mkdtempSync(join(tmpdir(), 'ltm-anomaly-'))
})
test.after.each(({ folder }) => rmSync(folder, { recursive: true, force: true }))

const eager = ['--backend', 'cpu']
const compiled = ['--engine', 'compiled']

/** A program whose model and step are given; lines count from the first of `text`. */
async function run(folder: string, text: string, engine = eager) {
  writeFileSync(join(folder, 'a.ltm'), text)
  return ltm(['run', 'a.ltm', '--json', '--detect-anomaly', ...engine], folder)
}

/** The fault of a program, which is the same on both engines. */
async function faultOf(folder: string, text: string): Promise<RunErrorEvent> {
  const [one, other] = await Promise.all([eager, compiled].map(engine => faultOn(engine, folder, text)))
  assert.equal(other, one)
  return one!
}

async function faultOn(engine: string[], folder: string, text: string): Promise<RunErrorEvent> {
  const { code, events, err } = await run(folder, text, engine)
  assert.is(code, 3, err)
  const last = events.at(-1)
  assert.is(last?.kind, 'run_error')
  return last as RunErrorEvent
}

function program(value: string, loss = 'mean(out ^ 2, axis: 1)', x = 'normal()'): string {
  return `dataset Points from synthetic(16) { field x: f32[2] = ${x} }
module Net() {
  layer body = Linear(2, 2)
  forward(x: f32[n, 2]) -> f32[n, 2] {
    let h = body(x)
    return ${value}
  }
}
train Bad {
  data points = Points(batch: 8)
  model net = Net()
  optimizer adam = Adam(net, lr: 0.1)
  step train(batch) {
    let out = net(batch.x)
    minimize ${loss}
  }
  trainer { epochs: 2, seed: 1 }
}
`
}

test('forwards: the operator, its place and what it was given', async ({ folder }) => {
  const { message, trace } = await faultOf(folder, program('tanh(sqrt(h) + 1)'))
  assert.match(
    message,
    /^the loss is NaN in epoch 1, batch 1: `sqrt` was the first to make a NaN, given numbers from -/,
  )
  assert.match(message, '; no parameter was moved')
  assert.is(trace, 'a.ltm:6:17')
})

test('an infinity that a mask takes away is no fault, the one behind it is', async ({ folder }) => {
  const masked = 'softmax(where(h > 0, h, -inf), axis: 1)'
  const { message, trace } = await faultOf(folder, program(`log(${masked})`))
  assert.match(message, '`log` was the first to make an infinity, given numbers from 0 to 1')
  assert.is(trace, 'a.ltm:6:12')
  const harmless = await faultOf(folder, program(`max(where(h > 100, h, -inf), h) / (h - h)`))
  assert.match(harmless.message, '`div` was the first to make an infinity')
})

test('backwards: the gradient of an operator, of a finite loss', async ({ folder }) => {
  const { message, trace } = await faultOf(folder, program('sqrt(relu(h)) * 2'))
  assert.match(
    message,
    'the gradient of the loss by `net.body.weight` is not finite in epoch 1, batch 1: the gradient of `sqrt`',
  )
  assert.match(message, /was the first to make a NaN, given numbers from 0 to /)
  assert.is(trace, 'a.ltm:6:12')
})

test('in a function of the library the place is the line that calls it', async ({ folder }) => {
  const loss = 'bce(out[.., 0] * 0 / (out[.., 0] - out[.., 0]), batch.x[.., 0])'
  const { message, trace } = await faultOf(folder, program('h', loss))
  assert.match(message, '`div` was the first to make a NaN, given 0 and 0')
  assert.is(trace, 'a.ltm:15:18')
  const inside = await faultOf(folder, program('logit(h) * 1'))
  assert.match(inside.message, /`log` in stdlib\/functions\.ltm:10:\d+ was the first to make/)
  assert.is(inside.trace, 'a.ltm:6:12')
})

test('what comes from the data is told by the name of its field', async ({ folder }) => {
  writeFileSync(join(folder, 'p.csv'), 'a,b\n1,2\n3,nan\n')
  const text = program('h').replace(
    'from synthetic(16) { field x: f32[2] = normal() }',
    'from csv("p.csv") { field x: f32[2] = columns(0..2) / 1 }',
  )
  const { code, events } = await run(folder, text)
  const last = events.at(-1)
  assert.is(last?.kind, 'run_error')
  // A reader that refuses such a number is as good an answer, at the data's own line.
  if (code === 3)
    assert.match((last as RunErrorEvent).message, 'the field `x` of the batch holds a NaN already')
  else assert.match((last as RunErrorEvent).message, 'p.csv')
})

test('what an earlier `minimize` of the step has moved stands where it stood', async ({ folder }) => {
  const text = `train Two {
  param a: f32[3] = fill(1)
  param b: f32[3] = fill(1)
  optimizer f = Sgd([a], lr: 1.0, momentum: 0.5)
  optimizer g = Sgd([b], lr: 1.0)
  step train() {
    minimize first = sum(a ^ 2) with f
    minimize second = sum(b / (a + 1)) with g
  }
  trainer { updates: 3 of f }
}
`
  const { message, trace } = await faultOf(folder, text)
  assert.match(
    message,
    'the loss `second` is Infinity in epoch 1, batch 1: `div` was the first to make an infinity, given 1 and 0',
  )
  assert.is(trace, 'a.ltm:8:27')
})

test('until then it is the run that it would have been, and `nonfinite: skip` does not hide it', async ({
  folder,
}) => {
  const text = program('where(h > 0, h, h * 0.1)').replace('seed: 1', 'seed: 1, nonfinite: skip')
  for (const engine of [eager, compiled]) {
    rmSync(join(folder, 'runs'), { recursive: true, force: true })
    const found = await run(folder, text, engine)
    assert.is(found.code, 0, found.err)
    assert.is((await ltm(['run', 'a.ltm', ...engine], folder)).code, 0)
    const [watched, plain] = ['v1', 'v2'].map(version =>
      readFileSync(join(folder, 'runs/Bad', version, 'records.jsonl'), 'utf8').replace(
        /"seconds":[\d.e-]+/g,
        '',
      ),
    )
    assert.is(watched, plain)
  }
  assert.is((await run(folder, text.replace('h * 0.1)', 'sqrt(h))'))).code, 3)
})

test.run()
