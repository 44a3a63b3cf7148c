/** `ltm run --profile`: what it measures, what it writes, and that it changes nothing. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { ProfileEvent } from '../src/runtime/events.ts'
import type { Part } from '../src/runtime/probe.ts'
import type { TraceEvent } from '../src/runtime/profiler.ts'
import { profileLines } from '../src/runtime/report/profile.ts'
import { ltm } from './kit/process.ts'

const test = suite<{ folder: string }>('profile')

test.before.each(context => {
  context.folder = mkdtempSync(join(tmpdir(), 'ltm-profile-'))
})
test.after.each(({ folder }) => rmSync(folder, { recursive: true, force: true }))

const program = `
dataset Points from synthetic(32) {
  field x: f32[4] = normal()
  split train: 0.75, val: 0.25
}
module Cell() {
  layer into = Linear(1, 3)
  forward(x: f32[n], h: f32[n, 3]) -> f32[n, 3] = tanh(h + into(x[.., _]))
}
module Net() {
  layer cell = Cell()
  layer drop = Dropout(0.2)
  forward(x: f32[n, t]) -> f32[n, 3] {
    var h: f32[n, 3] = zeros()
    for xt in along(x, axis: 1) { set h = cell(xt, h) }
    return drop(h)
  }
}
train Small {
  data points = Points(batch: 8)
  model net = Net()
  optimizer adam = Adam(net, lr: 0.1)
  metric spread = Spread()
  step train(batch) {
    let out = net(batch.x)
    minimize mean((out - 1) ^ 2, axis: 1)
    log spread(out)
  }
  step val(batch) { log loss = mean((net(batch.x) - 1) ^ 2) }
  on train_epoch_end { print "epoch {epoch}" }
  trainer { epochs: 2, seed: 1, keep: best(min: val.loss) }
}
metric Spread() {
  state total: f32 = 0
  update(x: f32[n, k]) { set total = total + sum(abs(x)) }
  compute() -> f32 = total
}
`

function write(folder: string): void {
  writeFileSync(join(folder, 'a.ltm'), program)
}

const run = ['run', 'a.ltm', '--backend', 'cpu', '--json']

async function profileIn(folder: string, args = run): Promise<ProfileEvent> {
  const { code, events, err } = await ltm([...args, '--profile'], folder)
  assert.is(code, 0, err)
  assert.is(events.at(-1)?.kind, 'run_end')
  const found = events.find(event => event.kind === 'profile')
  assert.ok(found)
  return found as ProfileEvent
}

/** The records of a run without their seconds. */
function recordsIn(folder: string, version: string): readonly string[] {
  const text = readFileSync(join(folder, 'runs/Small', version, 'records.jsonl'), 'utf8')
  return text.split('\n').map(line => line.replace(/"seconds":[\d.]+/, ''))
}

test('every part of the loop has its time, and they add up to less than the whole', async ({ folder }) => {
  write(folder)
  const { parts, seconds } = await profileIn(folder)
  const of = (phase: string) => parts.filter(each => each.phase === phase).map(({ part }) => part)
  const train: readonly Part[] = [
    'data',
    'forward',
    'backward',
    'update',
    'metrics',
    'logging',
    'reporting',
    'batch',
  ]
  assert.equal(of('train').toSorted(), train.toSorted())
  assert.equal(of('val').toSorted(), ['batch', 'data', 'forward', 'logging', 'reporting'])
  for (const part of ['start', 'hooks', 'saving', 'metrics'])
    assert.ok(of('between').includes(part as Part), part)
  assert.is(parts.find(({ phase, part }) => phase === 'train' && part === 'update')?.calls, 2 * 3)
  const told = parts.reduce((sum, each) => sum + each.seconds, 0)
  assert.ok(told <= seconds && parts.every(each => each.seconds >= 0))
})

test('operators are told by their lines, forwards and backwards', async ({ folder }) => {
  write(folder)
  const { operators } = await profileIn(folder)
  const tanh = operators.find(({ operator, line }) => operator === 'tanh' && line === 'a.ltm:8')
  // Four rounds of three training batches and one of validation, in two epochs; before them validation is tried.
  assert.is(tanh?.calls, 4 * ((3 + 1) * 2 + 1))
  assert.ok(tanh !== undefined && tanh.forward > 0 && tanh.backward > 0)
  assert.ok(operators.some(({ line }) => line.startsWith('stdlib/optimizers.ltm:')))
})

test('the trace is one that a viewer opens: complete events, those within others inside of them', async ({
  folder,
}) => {
  write(folder)
  const { path } = await profileIn(folder)
  const trace: { readonly traceEvents: readonly (TraceEvent | { readonly ph: 'M' })[] } = JSON.parse(
    readFileSync(join(folder, path ?? ''), 'utf8'),
  )
  const events = trace.traceEvents.flatMap(event => (event.ph === 'X' ? [event] : []))
  const batches = events.filter(({ name }) => name === 'train batch')
  assert.is(batches.length, 6)
  for (const { ts, dur } of batches) {
    const inside = events.filter(event => event.ts >= ts && event.ts + event.dur <= ts + dur)
    for (const name of ['forward', 'backward', 'update', 'gradient of tanh', 'Cell.forward'])
      assert.ok(
        inside.some(event => event.name === name),
        name,
      )
  }
})

test('of compiled graphs each operator is told by its line, and the trace has it within its graph', async ({
  folder,
}) => {
  write(folder)
  const compiled = ['run', 'a.ltm', '--engine', 'compiled', '--json']
  const { parts, operators, path } = await profileIn(folder, compiled)
  for (const phase of ['train', 'val'])
    assert.ok(
      parts.some(each => each.phase === phase && each.part === 'graph' && each.seconds > 0),
      phase,
    )
  // Graphs have the functions that they call written into them, at the lines of the calls.
  const tanh = operators.find(({ operator, line }) => operator === 'tanh' && line === 'a.ltm:15')
  assert.ok(tanh !== undefined && tanh.forward > 0 && tanh.calls >= 4 * ((3 + 1) * 2 + 1))
  const { traceEvents } = JSON.parse(readFileSync(join(folder, path ?? ''), 'utf8'))
  const named = (name: string): readonly TraceEvent[] =>
    traceEvents.filter((event: TraceEvent) => event.ph === 'X' && event.name === name)
  // The clocks of the library and of the process are brought together to a millisecond or two.
  const near = 5000
  for (const { ts, dur } of named('tanh'))
    assert.ok(named('graph').some(graph => graph.ts - near <= ts && ts + dur <= graph.ts + graph.dur + near))
  await ltm(compiled, folder)
  assert.equal(recordsIn(folder, 'v1'), recordsIn(folder, 'v2'))
})

test('a profiled run is the run that it would have been', async ({ folder }) => {
  write(folder)
  await profileIn(folder)
  await ltm(run, folder)
  assert.equal(recordsIn(folder, 'v1'), recordsIn(folder, 'v2'))
})

test('a run that fails has its profile all the same', async ({ folder }) => {
  writeFileSync(join(folder, 'a.ltm'), program.replace('(out - 1) ^ 2', 'log(out - out) ^ 2'))
  const { code, events } = await ltm([...run, '--profile'], folder)
  assert.is(code, 3)
  assert.equal(
    events.slice(-2).map(({ kind }) => kind),
    ['profile', 'run_error'],
  )
})

test('the tables: a column a phase, the longest operators, as wide as there is room', () => {
  const operators = Array.from({ length: 22 }, (_, i) => ({
    line: `a.ltm:${i + 1}`,
    ...{ operator: 'matmul', calls: 1200, forward: 1 - i / 100, backward: i === 0 ? 0 : 0.5 },
  }))
  const parts = [
    { phase: 'train', part: 'forward', seconds: 30, calls: 10 },
    { phase: 'train', part: 'batch', seconds: 1.5, calls: 10 },
    { phase: 'val', part: 'forward', seconds: 0.005, calls: 2 },
    { phase: 'between', part: 'saving', seconds: 4, calls: 1 },
  ] as const
  const lines = profileLines(
    { kind: 'profile', seconds: 40, parts, operators, path: 'runs/A/v1/profile.json' },
    50,
  )
  assert.equal(
    lines.slice(0, 9),
    [
      'where the time went, 40.0s in all',
      '                 train    val  between  share',
      'forward          30.0s  5.0ms           75.0%',
      'saving                           4.00s  10.0%',
      'rest of a batch  1.50s                   3.8%',
      'everything else                         11.2%',
      '',
      'line      operator  calls  forward  backward  sha…',
      'a.ltm:1   matmul    1,200    1.00s             2.…',
    ].map(line => (line.length > 50 ? `${line.slice(0, 49)}…` : line)),
  )
  assert.equal(lines.slice(-3), [
    '… and 2 more, shorter ones',
    'trace: runs/A/v1/profile.json (open it in ui.perfetto.dev or about:tracing)',
    '',
  ])
})

test.run()
