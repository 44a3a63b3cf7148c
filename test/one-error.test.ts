/** One mistake, one error: small programs that are right, each with one thing that people get wrong. */
import { readFileSync } from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { compile } from '../src/compiler.ts'
import { renderDiagnostic } from '../src/diagnostics/render.ts'
import { memoryFiles } from './kit/files.ts'
import { deleted, dropped, type Mistaken, misspelt, swapped } from './kit/mistakes.ts'

const test = suite('one error')

const data = `dataset Points from inline(x: [[1, 2], [3, 4], [5, 6], [7, 8]], label: [0, 1, 2, 0]) {
  field x: f32[2] = column("x")
  field label: i32 = column("label")
  split train: 0.5, val: 0.5
}
`

/** A classifier, with what most programs have. */
const classifier = `${data}
module Net(d: int, hidden: int) {
  layer first = Linear(d, hidden)
  layer head = Linear(hidden, 3)
  param scale: f32 in positive = 1.0
  forward(x: f32[n, d]) -> f32[n, 3] = scale * head(relu(first(x)))
}
train Classify {
  hyper rate: float in log_range(1e-5, 1e-1) = 1e-3
  data points = Points(batch: 2)
  model net = Net(2, 8)
  optimizer adam = AdamW(net, lr: cosine(rate, 100 updates), weight_decay: 0.01)
  metric accuracy = Accuracy(classes: 3)
  step train(batch) {
    let logits = net(batch.x)
    minimize cross_entropy(logits, batch.label)
    log accuracy(logits, batch.label) bar
  }
  step val(batch) {
    let logits = net(batch.x)
    log loss = cross_entropy(logits, batch.label)
    log accuracy(logits, batch.label)
  }
  on train_epoch_end if epoch % 5 == 4 { print "{val.loss}" }
  trainer { epochs: 3, keep: best(max: val.accuracy), stop: stalled(min: val.loss, patience: 2) }
}
`

/** Two optimizers, a function of the training, a constraint, a schedule, and a loop. */
const pair = `${data}
constraint half() bijective version 1 {
  raw: f32[...s]
  forward(u) = 0.5 * sigmoid(u)
  inverse(x) = logit(2 * x)
  log_det(u) = log(0.5) - abs(u) - 2 * log1p(exp(-abs(u)))
  check(x) = x > 0 and x < 0.5
}
schedule falling(peak: float, total: updates) = peak * (1 - update / total)
fn smoothed(x: f32[n, t], keep: float = 0.5) -> f32[n, t] {
  var h: f32[n] = zeros()
  let all = for v in along(x, axis: 1) {
    set h = keep * h + v
    yield h
  }
  return all
}
train Pair {
  data points = Points(batch: 2)
  model critic = Mlp([2, 4, 1])
  param shift: f32[2] in half = 0.1
  var boost = 1.0
  optimizer d = Adam(critic, lr: boost * 0.01)
  optimizer g = Adam([shift], lr: falling(0.1, 50 updates))
  fn score(x: f32[n, 2]) -> f32[n] = critic(smoothed(x))[.., 0]
  step train(batch) {
    let fake: f32[batch.size, 2] = normal()
    minimize critic_loss = score(batch.x) - score(fake + shift) with d
    if batch_index % 2 == 1 { minimize g_loss = -score(fake + shift) with g }
  }
  on every 10 updates of g { set boost = boost / 2 }
  trainer { updates: 20 of d, clip: norm(1.0) }
}
`

/** Modules in modules, what a step hands over, and a path that a hook freezes. */
const returning = `${data}
module Residual(inner: module(f32[n, d]) -> f32[n, d]) {
  forward(x: f32[n, d]) -> f32[n, d] = x + inner(x)
}
module Net(d: int) {
  layer body = Residual(Linear(d, d))
  layer head = Linear(d, 3)
  param scale: f32 in positive = 1.0
  fn encode(x: f32[n, d]) -> f32[n, d] = scale * body(x)
  forward(x: f32[n, d]) -> f32[n, 3] = head(encode(x))
}
train Returning {
  data points = Points(batch: 2)
  model net = Net(2)
  optimizer adam = Adam(net, lr: 0.01)
  step train(batch) {
    minimize cross_entropy(net(batch.x), batch.label)
    return { worst: max(batch.x), code: net.encode(batch.x) }
  }
  on train_batch_end(outputs) if epoch == 1 { log worst = outputs.worst log scale = net.scale }
  on train_start { freeze net.body.** }
  on every 5 epochs { unfreeze net.body.** }
  trainer { epochs: 10 }
}
`

/** Texts as numbers. */
const texts = `dataset Reviews from jsonl("reviews.jsonl") {
  field text: i32[t] = tokenize(column("text"), words) where t <= 20 pad 0
  field label: i32 = column("label")
}
train Sentiment {
  data reviews = Reviews(batch: 2)
  model embed = Embedding(100, 3)
  optimizer sgd = Sgd(embed, lr: 0.1)
  step train(batch) { minimize cross_entropy(mean(embed(batch.text), axis: 1), batch.label) }
  trainer { epochs: 1 }
}
`

interface Mistake {
  readonly program: string
  readonly right: string
  readonly wrong: string
  readonly code: string
}
const mistake = (program: string, right: string, wrong: string, code: string): Mistake => ({
  program,
  right,
  wrong,
  code,
})

const mistakes: Readonly<Record<string, Mistake>> = {
  'a member of a batch misspelt in what a step returns': mistake(
    returning,
    'worst: max(batch.x)',
    'worst: max(batch.y)',
    'LTM3003',
  ),
  'a constraint misspelt whose parameter others read': mistake(
    returning,
    'in positive',
    'in positiv',
    'LTM3001',
  ),
  'an event with a payload misspelt': mistake(
    returning,
    'on train_batch_end(',
    'on train_batch_ends(',
    'LTM4501',
  ),
  'a unit that there is not': mistake(returning, 'every 5 epochs', 'every 5 steps', 'LTM1010'),
  'a call of the dataset misspelt': mistake(
    texts,
    'tokenize(column("text"), words)',
    'tokenise(column("text"), words)',
    'LTM3001',
  ),
  'a size that is wrong in a method': mistake(
    returning,
    'encode(x: f32[n, d])',
    'encode(x: f32[d])',
    'LTM2101',
  ),
  'a module that is no argument': mistake(
    returning,
    'inner: module(f32[n, d]) -> f32[n, d]',
    'inner: moduel(f32[n, d]) -> f32[n, d]',
    'LTM1012',
  ),
  'arguments in the wrong order': mistake(
    classifier,
    'minimize cross_entropy(logits, batch.label)',
    'minimize cross_entropy(batch.label, logits)',
    'LTM2101',
  ),
  'a brace that is not opened': mistake(
    classifier,
    'forward(x: f32[n, d]) -> f32[n, 3] =',
    'forward(x: f32[n, d]) -> f32[n, 3]',
    'LTM1010',
  ),
  'a setting of the trainer misspelt': mistake(classifier, 'epochs: 3', 'epcohs: 3', 'LTM4201'),
  'a model that is too wide': mistake(classifier, 'Net(2, 8)', 'Net(3, 8)', 'LTM2101'),
  'a metric of too many classes': mistake(
    classifier,
    'Accuracy(classes: 3)',
    'Accuracy(classes: 4)',
    'LTM2101',
  ),
  'a result of a size that nothing gives': mistake(
    pair,
    'keep: float = 0.5) -> f32[n, t]',
    'keep: float = 0.5) -> f32[n, k]',
    'LTM2115',
  ),
  'a layer misspelt': mistake(classifier, 'head(relu(first(x)))', 'head(relu(frist(x)))', 'LTM3001'),
  'a module misspelt': mistake(classifier, 'layer first = Linear(', 'layer first = Linaer(', 'LTM3001'),
  'an argument that is missing': mistake(classifier, 'Net(2, 8)', 'Net(2)', 'LTM3006'),
  'an argument too many': mistake(classifier, 'Net(2, 8)', 'Net(2, 8, 3)', 'LTM3005'),
  'an argument misspelt': mistake(classifier, 'weight_decay: 0.01', 'weight_decai: 0.01', 'LTM3004'),
  'layers that do not fit': mistake(classifier, 'head = Linear(hidden, 3)', 'head = Linear(d, 3)', 'LTM2101'),
  'a field misspelt': mistake(
    classifier,
    'minimize cross_entropy(logits, batch.label)',
    'minimize cross_entropy(logits, batch.lable)',
    'LTM3003',
  ),
  'a dataset misspelt': mistake(classifier, 'Points(batch: 2)', 'Pionts(batch: 2)', 'LTM3001'),
  'a split that is missing': mistake(classifier, 'train: 0.5, val: 0.5', 'train: 0.5, test: 0.5', 'LTM4301'),
  'a monitor that nobody logs': mistake(classifier, 'max: val.accuracy', 'max: val.acuracy', 'LTM4107'),
  'a monitor without a direction': mistake(
    classifier,
    'best(max: val.accuracy)',
    'best(val.accuracy)',
    'LTM4202',
  ),
  'a hyper outside of its domain': mistake(classifier, '= 1e-3', '= 1.0', 'LTM4401'),
  'a domain misspelt': mistake(classifier, 'log_range(', 'logrange(', 'LTM3001'),
  'a schedule misspelt': mistake(classifier, 'cosine(rate', 'cosin(rate', 'LTM3001'),
  'a duration in the wrong unit': mistake(classifier, '100 updates', '100 seconds', 'LTM2114'),
  'a constraint misspelt': mistake(classifier, 'in positive', 'in positiv', 'LTM3001'),
  'a start value outside of its constraint': mistake(
    classifier,
    'in positive = 1.0',
    'in positive = -1.0',
    'LTM4002',
  ),
  'a metric misspelt': mistake(classifier, 'Accuracy(classes: 3)', 'Acuracy(classes: 3)', 'LTM3001'),
  'a result of another type': mistake(classifier, '-> f32[n, 3]', '-> f32[n, 4]', 'LTM2115'),
  'an event misspelt': mistake(classifier, 'on train_epoch_end', 'on train_epoch_ended', 'LTM4501'),
  'a variable that is none': mistake(pair, 'var h: f32[n] = zeros()', 'let h: f32[n] = zeros()', 'LTM3009'),
  'a carried value that changes its shape': mistake(
    pair,
    'set h = keep * h + v',
    'set h = keep * h + x',
    'LTM2143',
  ),
  'a loop over no sequence': mistake(pair, 'along(x, axis: 1)', 'x', 'LTM2109'),
  'an axis that is not there': mistake(pair, 'axis: 1', 'axis: 2', 'LTM2140'),
  'an optimizer misspelt': mistake(
    pair,
    '-score(fake + shift) with g',
    '-score(fake + shift) with h',
    'LTM3001',
  ),
  'an optimizer not named': mistake(pair, 'score(fake + shift) with d', 'score(fake + shift)', 'LTM4101'),
  'an optimizer that has nothing': mistake(pair, 'Adam([shift]', 'Adam([shif]', 'LTM3001'),
  'two losses of one name': mistake(pair, 'minimize g_loss =', 'minimize critic_loss =', 'LTM4106'),
  'a wrong axis of a model': mistake(pair, 'Mlp([2, 4, 1])', 'Mlp([3, 4, 1])', 'LTM2101'),
  'a setting of another type': mistake(pair, 'clip: norm(1.0)', 'clip: nrom(1.0)', 'LTM4202'),
  'a unit misspelt': mistake(pair, 'updates: 20 of d', 'updates: 20 of e', 'LTM3001'),
  'a string for a number': mistake(pair, 'var boost = 1.0', 'var boost = "1.0"', 'LTM2109'),
  'a function misspelt in a constraint': mistake(pair, '0.5 * sigmoid(u)', '0.5 * sigmod(u)', 'LTM3001'),
  'a function misspelt in a schedule': mistake(
    pair,
    '(1 - update / total)',
    '(1 - updat / total)',
    'LTM3001',
  ),
  'a number of the wrong kind': mistake(pair, 'keep: float = 0.5', 'keep: int = 0.5', 'LTM2102'),
}

const errorsOf = (text: string) =>
  compile('a.ltm', memoryFiles({ 'a.ltm': text })).diagnostics.filter(each => each.severity === 'error')

for (const [name, text] of Object.entries({ classifier, pair, returning, texts }))
  test(`the ${name} is right`, () => {
    const shown = compile('a.ltm', memoryFiles({ 'a.ltm': text })).diagnostics.map(each =>
      renderDiagnostic(each, { color: false, width: 100 }),
    )
    assert.is(shown.join('\n\n'), '')
  })

for (const [name, { program, right, wrong, code }] of Object.entries(mistakes))
  test(name, () => {
    assert.is(program.split(right).length, 2, `\`${right}\` stands once in the program`)
    const errors = errorsOf(program.replace(right, wrong))
    const shown = errors.map(each => renderDiagnostic(each, { color: false, width: 100 })).join('\n\n')
    assert.equal(
      errors.map(each => each.code),
      [code],
      shown,
    )
  })

const example = (name: string) =>
  readFileSync(new URL(`../examples/${name}/${name}.ltm`, import.meta.url), 'utf8')

/** The mistakes for which more than one error is told. */
const toldTwice = (mistakes: readonly Mistaken[]): readonly string[] =>
  mistakes.flatMap(({ what, text }) => {
    const errors = errorsOf(text)
    return errors.length < 2 ? [] : [`${what}: ${errors.map(({ message }) => message).join('; ')}`]
  })

for (const [name, text] of Object.entries({ classifier, pair, mixture: example('mixture') }))
  test(`each name of ${name} misspelt, and each number another one, gives one error at most`, () => {
    const mistakes = misspelt(text)
    assert.ok(mistakes.length > 80)
    assert.equal(toldTwice(mistakes), [])
  })

for (const [name, text] of Object.entries({ classifier, pair, gan: example('gan') }))
  test(`each argument of ${name} dropped, or put in the place of the next, gives one error at most`, () => {
    const mistakes = [...dropped(text), ...swapped(text)]
    assert.ok(mistakes.length > 40)
    assert.equal(toldTwice(mistakes), [])
  })

test('each token of the classifier left out gives one error at most', () => {
  const mistakes = deleted(classifier)
  assert.ok(mistakes.length > 300)
  // Without these the text still reads, as something that is wrong twice.
  const others = ['net deleted', '( deleted', '} deleted']
  assert.equal(
    toldTwice(mistakes).map(each => each.split(': ')[1]),
    others,
  )
})

test.run()
