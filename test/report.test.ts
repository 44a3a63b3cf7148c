import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type {
  ClockValues,
  EpochEnd,
  RunEnd,
  RunStart,
  StepDone,
  TrainingEvent,
} from '../src/runtime/events.ts'
import { chooseReporter } from '../src/runtime/report/choose.ts'
import { formatDuration, formatNumber, formatRate, tensorText } from '../src/runtime/report/format.ts'
import { jsonReporter } from '../src/runtime/report/jsonl.ts'
import { plainReporter } from '../src/runtime/report/plain.ts'
import type { ReportStream } from '../src/runtime/report/stream.ts'
import { groupValues, metricsTable } from '../src/runtime/report/table.ts'
import { terminalReporter } from '../src/runtime/report/terminal.ts'

// ── Kit ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

interface Recorder extends ReportStream {
  readonly texts: string[]
}

function recorder(columns?: number): Recorder {
  const texts: string[] = []
  return { texts, write: text => texts.push(text), isTTY: columns !== undefined, columns }
}

function clocks(epoch: number, batchIndex: number, seconds: number): ClockValues {
  const updates = { adam: batchIndex + 1 }
  return { epoch, batchIndex, batches: batchIndex + 1, examples: 0, seconds, updates, skipped: 0 }
}

const start: RunStart = {
  kind: 'run_start',
  mode: 'train',
  name: 'DigitClassifier',
  version: 'v3',
  folder: 'runs/DigitClassifier/v3',
  backend: 'wasm',
  device: 'WebAssembly with SIMD',
  seed: 1,
  parameters: 12810,
  trained: 12800,
  models: [{ name: 'net', parameters: 12810 }],
  data: [{ name: 'digits', splits: { train: 1437, val: 180, test: 180 } }],
  settings: { lr: 0.001 },
  steps: [{ phase: 'train' }, { phase: 'val' }, { phase: 'test' }],
  epochs: 2,
}

function step(
  phase: StepDone['phase'],
  epoch: number,
  index: number,
  seconds: number,
  loss: number,
): StepDone {
  return { kind: 'step', phase, clocks: clocks(epoch, index, seconds), batches: 4, values: { loss } }
}

function epochEnd(epoch: number, best: boolean): EpochEnd {
  const values = { 'train.loss': 0.51234, 'train.accuracy': 0.9, 'val.loss': 2.5e-5, 'val.accuracy': 1 }
  return {
    kind: 'epoch_end',
    epoch,
    epochs: 2,
    seconds: 1.234,
    values,
    clocks: clocks(epoch, 3, 2),
    best,
    last: epoch === 1,
  }
}

const end: RunEnd = {
  kind: 'run_end',
  mode: 'train',
  reason: 'stalled',
  detail: 'val.loss has not improved for 5 checks',
  metrics: {
    'train.loss': 0.51234,
    'train.accuracy': 0.9,
    'val.loss': 0.25,
    'test.loss': 12.25,
    'test.accuracy': 0.875,
  },
  seconds: 75.4,
  clocks: clocks(2, 3, 75.4),
  checkpoint: 'runs/DigitClassifier/v3/checkpoints/best',
}

const recorded: readonly TrainingEvent[] = [
  start,
  { kind: 'epoch_start', epoch: 0, epochs: 2, batches: 4 },
  { kind: 'phase_start', phase: 'train', batches: 4 },
  step('train', 0, 0, 1, 0.75),
  step('train', 0, 1, 1.05, 0.5),
  step('train', 0, 2, 1.1, 0.25),
  { kind: 'message', text: 'hardest 17' },
  step('train', 0, 3, 1.15, 0.125),
  { kind: 'phase_end', phase: 'train', seconds: 0.2 },
  { kind: 'phase_start', phase: 'val', batches: 4 },
  step('val', 0, 0, 1.5, 0.75),
  { kind: 'phase_end', phase: 'val', seconds: 0.2 },
  {
    kind: 'checkpoint_saved',
    name: 'latest',
    path: 'runs/DigitClassifier/v3/checkpoints/latest',
    reason: 'latest',
  },
  epochEnd(0, true),
  {
    kind: 'warning',
    code: 'LTM6101',
    message: 'the loss is NaN',
    trace: 'digits.ltm:35',
    help: 'lower the rate',
  },
  {
    kind: 'checkpoint_saved',
    name: 'decade',
    path: 'runs/DigitClassifier/v3/checkpoints/decade',
    reason: 'asked',
  },
  epochEnd(1, false),
  end,
]

// ── Numbers ─────────────────────────────────────────────────────────────────────────────────────────────────────────

const formats = suite('report: numbers and times')

formats('numbers have four significant digits', () => {
  const texts: [number, string][] = [
    [0.123456, '0.1235'],
    [0.9, '0.9000'],
    [12.3456, '12.35'],
    [999.94, '999.9'],
    [999.96, '1000'],
    [12345.6, '12346'],
    [999_949.9, '999950'],
    [999_950.5, '1.000e+6'],
    [1797, '1797'],
    [1234567, '1.235e+6'],
    [0.00123456, '0.001235'],
    [0.000999949, '9.999e-4'],
    [0.00099996, '0.001000'],
    [-1.5e-7, '-1.500e-7'],
    [0, '0'],
    [-0, '0'],
    [Number.NaN, 'NaN'],
    [Number.NEGATIVE_INFINITY, '-inf'],
  ]
  for (const [value, text] of texts) assert.is(formatNumber(value), text)
})

formats('tensors in messages are nested lists of short numbers', () => {
  assert.is(tensorText([0.123456], []), '0.1235')
  assert.is(tensorText([0.2, 0.3, 0.5], [3]), '[0.2000, 0.3000, 0.5000]')
  assert.is(tensorText([1, 2, 3, 4, 5, 6], [2, 3]), '[[1, 2, 3], [4, 5, 6]]')
  assert.is(tensorText([], [2, 0]), '[[], []]')
})

formats('durations are for people', () => {
  const texts: [number, string][] = [
    [0, '0.00s'],
    [0.00042, '0.4ms'],
    [0.0099, '9.9ms'],
    [0.00996, '0.01s'],
    [9.99, '9.99s'],
    [9.996, '10.0s'],
    [59.96, '1m 00s'],
    [125, '2m 05s'],
    [3599.7, '1h 00m'],
    [7325, '2h 02m'],
    [273_600, '3d 04h'],
    [Number.POSITIVE_INFINITY, '?'],
  ]
  for (const [seconds, text] of texts) assert.is(formatDuration(seconds), text)
})

formats('rates turn around where batches are slow', () => {
  assert.is(formatRate(1234.5), '1235/s')
  assert.is(formatRate(34.56), '34.6/s')
  assert.is(formatRate(0.2), '5.00s each')
})

formats.run()

// ── Tables ──────────────────────────────────────────────────────────────────────────────────────────────────────────

const tables = suite('report: tables')

tables('have a row for each phase and a column for each name', () => {
  assert.is(
    metricsTable(groupValues(end.metrics)).join('\n'),
    [
      '         loss  accuracy',
      'train  0.5123    0.9000',
      'val    0.2500         –',
      'test    12.25    0.8750',
    ].join('\n'),
  )
})

tables('too wide for the terminal become lists', () => {
  assert.is(
    metricsTable(groupValues(end.metrics), 22).join('\n'),
    [
      'train.loss      0.5123',
      'train.accuracy  0.9000',
      'val.loss        0.2500',
      'test.loss        12.25',
      'test.accuracy   0.8750',
    ].join('\n'),
  )
})

tables('tell named steps from metrics with fields by what has run', () => {
  const values = { 'val.auc.low': 1, 'val.abroad.loss': 2, 'val.loss': 3 }
  assert.equal(groupValues(values, ['val', 'val.abroad']), [
    {
      prefix: 'val',
      values: [
        ['auc.low', 1],
        ['loss', 3],
      ],
    },
    { prefix: 'val.abroad', values: [['loss', 2]] },
  ])
})

tables('of nothing are nothing', () => {
  assert.equal(metricsTable([]), [])
})

tables.run()

// ── Plain ───────────────────────────────────────────────────────────────────────────────────────────────────────────

const plain = suite('report: plain')

plain('a line an epoch', () => {
  const stream = recorder()
  recorded.forEach(plainReporter(stream))
  assert.is(
    stream.texts.join(''),
    `DigitClassifier v3 · training on wasm (WebAssembly with SIMD) · seed 1
parameters: 12,810, 12,800 trained
digits: 1,437 train, 180 val, 180 test
hardest 17
epoch 1/2 · train loss 0.5123, accuracy 0.9000 · val loss 2.500e-5, accuracy 1 · 1.23s · best
warning[LTM6101]: the loss is NaN
  --> digits.ltm:35
  = help: lower the rate
saved checkpoint runs/DigitClassifier/v3/checkpoints/decade
epoch 2/2 · train loss 0.5123, accuracy 0.9000 · val loss 2.500e-5, accuracy 1 · 1.23s
stopped early after 2 epochs in 1m 15s: val.loss has not improved for 5 checks
         loss  accuracy
train  0.5123    0.9000
val    0.2500         –
test    12.25    0.8750
checkpoint: runs/DigitClassifier/v3/checkpoints/best
`,
  )
})

/** The epochs that got a line. */
function shown(epochs: number, run: Partial<RunStart>): readonly number[] {
  const stream = recorder()
  const report = plainReporter(stream)
  const { epochs: _, ...rest } = start
  report({ ...rest, ...run })
  for (let epoch = 0; epoch < epochs; epoch++) {
    const { epochs: __, ...event } = epochEnd(epoch, true)
    report({ ...event, last: epoch + 1 === epochs })
  }
  const numbers = stream.texts.join('').matchAll(/^epoch (\d+)/gm)
  return [...numbers].map(([, number]) => Number(number))
}

plain('of thousands of epochs about a hundred get a line, the first and the last among them', () => {
  for (const run of [{ epochs: 10_007 }, { expectedEpochs: 10_007 }]) {
    const lines = shown(10_007, run)
    assert.equal(lines.slice(0, 3), [1, 200, 400])
    assert.equal(lines.slice(-2), [10_000, 10_007])
    assert.is(lines.length, 52)
  }
  assert.is(shown(100, { epochs: 100 }).length, 100)
  assert.equal(shown(60, { epochs: 200 }).slice(0, 3), [1, 2, 4])
})

plain('where the end is not known, ever fewer epochs get a line', () => {
  const lines = shown(10_007, {})
  assert.equal(lines.slice(0, 53).slice(-4), [50, 52, 54, 56])
  assert.is(lines.at(-1), 10_007)
  assert.ok(lines.length < 300, `${lines.length}`)
})

plain('says so, and leaves errors to whoever called', () => {
  const stream = recorder()
  const report = plainReporter(stream)
  report({ ...start, epochs: 5000 })
  report({ kind: 'run_error', code: 'LTM6101', message: 'the loss is NaN', exitCode: 3 })
  assert.is(stream.texts.join('').split('\n').at(-2), 'one line for every 50 epochs')
})

plain('a test run', () => {
  const stream = recorder()
  const report = plainReporter(stream)
  const models = [
    { name: 'g', parameters: 1000 },
    { name: 'd', parameters: 2000 },
  ]
  const { version: _, epochs: __, ...rest } = start
  report({
    ...rest,
    mode: 'test',
    device: '',
    parameters: 3000,
    trained: 3000,
    models,
    checkpoint: 'runs/a/best',
  })
  report({ ...end, mode: 'test', reason: 'finished', metrics: { 'test.loss': 0.5 }, seconds: 0.5 })
  assert.is(
    stream.texts.join(''),
    `DigitClassifier · testing on wasm · seed 1
parameters: 3,000 (g 1,000, d 2,000)
digits: 1,437 train, 180 val, 180 test
from checkpoint runs/a/best
finished in 0.50s: val.loss has not improved for 5 checks
        loss
test  0.5000
checkpoint: runs/DigitClassifier/v3/checkpoints/best
`,
  )
})

plain.run()

// ── JSON ────────────────────────────────────────────────────────────────────────────────────────────────────────────

const json = suite('report: JSON')

json('one event a line, and of steps ten a second', () => {
  const stream = recorder()
  recorded.forEach(jsonReporter(stream))
  const isSeldom = (event: TrainingEvent) =>
    event.kind !== 'step' || ![1.05, 1.15].includes(event.clocks.seconds)
  assert.equal(
    stream.texts
      .join('')
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line)),
    recorded.filter(isSeldom),
  )
})

json('numbers that JSON lacks are words', () => {
  const stream = recorder()
  jsonReporter(stream)({
    kind: 'step',
    phase: 'train',
    clocks: clocks(0, 0, 0),
    batches: 1,
    values: { loss: Number.NaN },
  })
  assert.match(stream.texts.join(''), '"values":{"loss":"NaN"}')
})

json.run()

// ── Terminal ────────────────────────────────────────────────────────────────────────────────────────────────────────

const terminal = suite('report: terminal')

/** Control sequences by name, one write a line. */
function visible(texts: readonly string[]): string {
  return texts.map(text => text.replaceAll('\r', '⏎').replaceAll('\x1b[K', '␡')).join('|\n')
}

terminal('a bar that is redrawn in place, ten times a second at most, and cleared for what stays', () => {
  const stream = recorder(80)
  recorded.slice(1).forEach(terminalReporter(stream, { color: false }))
  assert.is(
    visible(stream.texts),
    `⏎epoch 1/2 ━━━━━━────────────────── 1/4 · loss 0.7500␡|
⏎epoch 1/2 ━━━━━━━━━━━━━━━━━━────── 3/4 · 20/s · 1s left · loss 0.2500␡|
⏎␡|
hardest 17
|
⏎epoch 1/2 val ━━━━━━────────────────── 1/4 · loss 0.7500␡|
⏎␡|
epoch 1/2 · val loss 2.500e-5, accuracy 1 · 1.23s · best
|
warning[LTM6101]: the loss is NaN
  --> digits.ltm:35
  = help: lower the rate
|
saved checkpoint runs/DigitClassifier/v3/checkpoints/decade
|
epoch 2/2 · val loss 2.500e-5, accuracy 1 · 1.23s
|
stopped early after 2 epochs in 1m 15s: val.loss has not improved for 5 checks
         loss  accuracy
train  0.5123    0.9000
val    0.2500         –
test    12.25    0.8750
checkpoint: runs/DigitClassifier/v3/checkpoints/best
`,
  )
})

terminal('shows less where there is less room, and never wraps', () => {
  const lines: string[] = []
  for (const columns of [60, 50, 40, 30, 20, 12, 5, 1]) {
    const stream = recorder(columns)
    const report = terminalReporter(stream, { color: false })
    report({ kind: 'epoch_start', epoch: 0, epochs: 2, batches: 4 })
    report(step('train', 0, 0, 1, 0.75))
    report(step('train', 0, 1, 3, 0.75))
    lines.push(stream.texts.at(-1)!.replaceAll('\r', '').replaceAll('\x1b[K', ''))
    assert.ok([...lines.at(-1)!].length < Math.max(columns, 2), `${columns}: ${lines.at(-1)}`)
  }
  assert.is(
    lines.join('\n'),
    `epoch 1/2 ━━━━──── 2/4 · 2.00s each · 4s left · loss 0.7500
epoch 1/2 ━━━━━────── 2/4 · 4s left · loss 0.7500
epoch 1/2 2/4 · 4s left · loss 0.7500
epoch 1/2 2/4 · loss 0.7500
epoch 1/2 2/4 · lo…
epoch 1/2 …
epo…
…`,
  )
})

terminal('the head of a run fits into a narrow terminal, and so does an epoch', () => {
  const lines = [100, 60, 34].flatMap(columns => {
    const stream = recorder(columns)
    const report = terminalReporter(stream, { color: false })
    report(start)
    report(epochEnd(0, false))
    return stream.texts.join('').split('\n').slice(0, 1).concat(stream.texts.at(-1)!.trimEnd())
  })
  assert.equal(lines, [
    'DigitClassifier v3 · training on wasm (WebAssembly with SIMD) · seed 1',
    'epoch 1/2 · train loss 0.5123, accuracy 0.9000 · val loss 2.500e-5, accuracy 1 · 1.23s',
    'DigitClassifier v3 · training on wasm · seed 1',
    'epoch 1/2 · val loss 2.500e-5, accuracy 1 · 1.23s',
    'DigitClassifier v3 · training on wasm · seed 1',
    'epoch 1/2 · val l… · 1.23s',
  ])
})

terminal('shows colours where they are wanted', () => {
  const stream = recorder(80)
  const report = terminalReporter(stream, { color: true })
  report(step('train', 0, 1, 1, 0.5))
  report(epochEnd(0, true))
  report({ kind: 'warning', code: 'LTM6101', message: 'careful: now' })
  assert.is(
    visible(stream.texts).replaceAll('\x1b[', '^'),
    `⏎^1mepoch 1^22m ^32m━━━━━━━━━━━━^39m^2m────────────^22m 2/4 · loss 0.5000␡|
⏎␡|
^1mepoch 1/2^22m · val loss 2.500e-5, accuracy 1 · 1.23s · ^32mbest^39m
|
^33mwarning[LTM6101]^39m: careful: now
`,
  )
})

terminal('where each epoch is one batch, the bar is that of the run', () => {
  const stream = recorder(60)
  const report = terminalReporter(stream, { color: false })
  const { epochs: _, ...rest } = start
  report({ ...rest, expectedEpochs: 1000 })
  for (const epoch of [0, 1, 300]) {
    report({ kind: 'phase_start', phase: 'train', batches: 1 })
    const at = { ...clocks(epoch, 0, 1 + epoch), batches: epoch + 1 }
    report({ kind: 'step', phase: 'train', clocks: at, batches: 1, values: { p: 0.5 } })
  }
  assert.equal(stream.texts.slice(1), [
    '\repoch ──────────────────────── 1/1000 · p 0.5000\x1b[K',
    '\repoch ────────────── 2/1000 · 1/s · 16m 38s left · p 0.5000\x1b[K',
    '\repoch ━━━───────── 301/1000 · 1/s · 11m 39s left · p 0.5000\x1b[K',
  ])
})

terminal('what takes long is shown to go on, as wide as the terminal now is', () => {
  const stream = { ...recorder(80), columns: 80 }
  const report = terminalReporter(stream, { color: false })
  report.wait(3)
  report({ kind: 'epoch_start', epoch: 0, epochs: 2, batches: 4 })
  report({ kind: 'phase_start', phase: 'train', batches: 4 })
  report.wait(2.7)
  report(step('train', 0, 0, 3, 0.5))
  report(step('train', 0, 1, 33, 0.5))
  report.wait(0.2)
  report.wait(50)
  stream.columns = 30
  report.wait(75)
  report({ kind: 'phase_end', phase: 'train', seconds: 33 })
  report.wait(9)
  assert.equal(
    stream.texts.map(text => text.replace('\r', '').replace('\x1b[K', '')),
    [
      'epoch 1/2 ──────────────────────── 0/4 (next for 2s)',
      'epoch 1/2 ━━━━━━────────────────── 1/4 · loss 0.5000',
      'epoch 1/2 ━━━━━━━━━━━━──────────── 2/4 · 30.0s each · 1m 00s left · loss 0.5000',
      'epoch 1/2 ━━━━━━━━━━━━──────────── 2/4 · 30.0s each · 1m 00s left · loss 0.5000',
      'epoch 1/2 ━━━━━━────── 2/4 (next for 50s) · 30.0s each · 10s left · loss 0.5000',
      'epoch 1/2 2/4 (next for 1m 1…',
    ],
  )
})

terminal('the pace is the same where only the first and the last step of a pass are told', () => {
  const drawn = [
    [0, 1, 2, 3],
    [0, 3],
  ].map(steps => {
    const stream = recorder(80)
    const report = terminalReporter(stream, { color: false })
    report({ kind: 'phase_start', phase: 'train', batches: 4 })
    for (const at of steps) report(step('train', 0, at, at, 0.5))
    return stream.texts.at(-1)
  })
  assert.is(drawn[0], drawn[1])
  assert.match(drawn[0] ?? '', '1/s')
})

terminal('closing clears a bar that is there, once', () => {
  const stream = recorder(80)
  const report = terminalReporter(stream, { color: false })
  report.close()
  assert.equal(stream.texts, [])
  report(step('train', 0, 1, 1, 0.5))
  report.close()
  report.close()
  assert.equal(stream.texts.slice(1), ['\r\x1b[K'])
})

terminal('is chosen for terminals alone', () => {
  const kept = process.env.TERM
  const shown = (json: boolean, columns: number | undefined, term: string) => {
    process.env.TERM = term
    const stream = recorder(columns)
    chooseReporter({ json, stream })(step('train', 0, 0, 1, 0.5))
    return stream.texts.join('').slice(0, 1)
  }
  assert.equal(
    [
      shown(false, 80, 'xterm'),
      shown(false, 80, 'dumb'),
      shown(false, undefined, 'xterm'),
      shown(true, 80, 'xterm'),
    ],
    ['\r', '', '', '{'],
  )
  if (kept === undefined) delete process.env.TERM
  else process.env.TERM = kept
})

terminal.run()
