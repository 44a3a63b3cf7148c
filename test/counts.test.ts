import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { PNG } from 'pngjs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { RunError } from '../src/runtime/errors.ts'
import { predict, train } from '../src/runtime/program.ts'
import { compileWithData, inFolder, trainingOf } from './kit/examples.ts'
import { ltm } from './kit/process.ts'

const test = suite('sizes that the data tells')

const letters = ['a', 'b', 'c', 'd', 'e']

/** Rows of people, words and numbers; the last row holds what no other does. */
const rows = (count: number): string =>
  Array.from({ length: count }, (_, i) => {
    const last = i === count - 1
    const friend = last ? 'zoe' : (letters[(3 * i) % 4] ?? '')
    const text = `${letters[i % 5]} ${letters[(i + 2) % 5]}${last ? ' rare' : ''}`
    return JSON.stringify({ user: letters[i % 3], friend, text, level: i % 4, kind: ['x', 'y'][i % 2] })
  }).join('\n')

const people = `
dataset People from jsonl("people.jsonl") {
  fit names: vocabulary = vocabulary(column("user"), column("friend"))
  fit levels: int = i32(max(column("level"))) + 1
  field user: i32 = encode(column("user"), names)
  field friend: i32 = encode(column("friend"), names)
  field text: i32[t] = tokenize(column("text"), words)
  field kind: i32 = encode(column("kind"))
  field level: i32 = column("level")
}
module Net(names: int, words: int, kinds: int) {
  layer who = Embedding(names, 4)
  layer said = Embedding(words, 4)
  layer head = Linear(4, kinds)
  forward(a: i32[n], b: i32[n], text: i32[n, t]) -> f32[n, kinds] = head(who(a) * who(b) + mean(said(text), axis: 1))
}
train Guess {
  data people = People(batch: 5)
  model net = Net(people.names.count, people.text.count, people.kind.count)
  param by_level: f32[people.levels] = zeros()
  param by_other: f32[people.level.count] = zeros()
  optimizer adam = Adam([net, by_level, by_other], lr: 0.1)
  step train(batch) {
    let logits = net(batch.user, batch.friend, batch.text)
    minimize cross_entropy(logits, batch.kind) + mean((by_level + by_other)[batch.level] ^ 2)
  }
  step predict(batch) {
    let logits = net(batch.user, batch.friend, batch.text)
    return {
      kind: people.kind.decode(argmax(logits, axis: -1)),
      user: people.names.decode(batch.user),
      friend: people.friend.decode(batch.friend),
    }
  }
  trainer { epochs: 1, seed: 3 }
}
`

const inPlace = (text: string, count: number, visit: (folder: string) => Promise<void>): Promise<void> =>
  inFolder(async folder => {
    writeFileSync(join(folder, 'guess.ltm'), text)
    writeFileSync(join(folder, 'people.jsonl'), rows(count))
    await visit(folder)
  })

const countsIn = async (folder: string, seed?: number): Promise<Readonly<Record<string, number>>> => {
  const { datasets } = await compileWithData(folder, 'guess', seed)
  return Object.fromEntries(
    datasets.flatMap(({ name, counts }) => counts.map(({ of, is }) => [`${name}.${of}`, is ?? Number.NaN])),
  )
}

async function failure(run: Promise<unknown>): Promise<string> {
  try {
    await run
  } catch (error) {
    if (error instanceof RunError) return `${error.code} ${error.trace}: ${error.message}`
    throw error
  }
  throw new Error('nothing failed')
}

test('vocabularies, shared ones, whole numbers and fits tell their sizes', () =>
  inPlace(people, 20, async folder => {
    assert.equal(await countsIn(folder), {
      'people.text': 7,
      'people.kind': 2,
      'people.level': 4,
      'people.names': 5,
      'people.levels': 4,
    })
  }))

test('a program trains with them, and tells texts of a shared vocabulary', () =>
  inPlace(people, 20, async folder => {
    const training = await trainingOf(await compileWithData(folder, 'guess'), folder)
    const { checkpoint, metrics } = await train(training, { backend: 'cpu', runs: join(folder, 'runs') })
    assert.ok(Number.isFinite(metrics['train.loss']))
    const { predictions } = await predict(training, { backend: 'cpu', runs: false, checkpoint })
    assert.is(predictions.length, 20)
    const names = predictions.map(({ user, friend }) => [user, friend])
    assert.equal(names.slice(0, 2), [
      ['a', 'a'],
      ['b', 'd'],
    ])
    assert.equal(names[19], ['b', 'zoe'])
    assert.ok(predictions.every(({ kind }) => kind === 'x' || kind === 'y'))
  }))

const said = `
dataset People from jsonl("people.jsonl") {
  field text: i32[t] = tokenize(column("text"), words)
  split train: 0.5, val: 0.5
}
train Guess {
  data people = People(batch: 5)
  model said = Embedding(people.text.count, 4)
  optimizer adam = Adam(said, lr: 0.1)
  step train(batch) { minimize mean(said(batch.text)) }
  trainer { epochs: 1 }
}
`

test('a vocabulary is that of the training split, by the seed of the run', () =>
  inPlace(said, 20, async folder => {
    const sizes = new Set<number>()
    for (const seed of [1, 2, 3, 4]) sizes.add((await countsIn(folder, seed))['people.text'] ?? 0)
    // With or without the rare word.
    assert.equal([...sizes].toSorted(), [6, 7])
  }))

test('data that has changed is told before shapes are compared', () =>
  inPlace(people, 20, async folder => {
    const training = await trainingOf(await compileWithData(folder, 'guess'), folder)
    const options = { backend: 'cpu', runs: join(folder, 'runs') } as const
    const { checkpoint } = await train(training, options)
    appendFileSync(
      join(folder, 'people.jsonl'),
      `\n${JSON.stringify({ user: 'new', friend: 'a', text: 'a b', level: 1, kind: 'x' })}`,
    )
    // The program as it was compiled, as `ltm build` has it.
    assert.is(
      await failure(train(training, { ...options, runs: false })),
      'LTM5118 guess.ltm:19: the program was compiled for `people.names` of 5, and the data has 6',
    )
    const again = await trainingOf(await compileWithData(folder, 'guess'), folder)
    for (const run of [train, predict])
      assert.is(
        await failure(run(again, { ...options, checkpoint })),
        `LTM5115 guess.ltm:19: \`people.names\` is not what it was when ${checkpoint} was saved: it was 5 and is 6`,
      )
  }))

test('classes of pictures and tokens of a text tell their sizes', () =>
  inFolder(async folder => {
    for (const kind of ['cat', 'dog', 'emu']) {
      mkdirSync(join(folder, 'pets', kind), { recursive: true })
      for (const i of [1, 2])
        writeFileSync(
          join(folder, 'pets', kind, `${i}.png`),
          PNG.sync.write(new PNG({ width: 2, height: 2, fill: true })),
        )
    }
    writeFileSync(join(folder, 'play.txt'), 'to be or not to be')
    writeFileSync(
      join(folder, 'guess.ltm'),
      `
dataset Pets from images("pets", size: [2, 2], channels: 1) {
  field image: f32[4] = flatten(image)
  field label: i32 = label
}
dataset Play from text("play.txt", tokens: characters, window: 4) {
  field now: i32[4] = tokens
  field next: i32[4] = next
}
dataset Words from text("play.txt", tokens: words, window: 2, size: 3) {
  field now: i32[2] = tokens
}
train Guess {
  data pets = Pets(batch: 2)
  data play = Play(batch: 2)
  data words = Words(batch: 2)
  model net = Mlp([4, pets.label.count, play.now.count, play.next.count, words.now.count])
  optimizer adam = Adam(net, lr: 0.1)
  step train(batch from pets.train, a from play.train cycle, b from words.train cycle) {
    minimize mean(net(batch.image)) + mean(f32(a.now)) + mean(f32(b.now))
  }
  trainer { epochs: 1 }
}
`,
    )
    assert.equal(await countsIn(folder), {
      'pets.label': 3,
      'play.now': 7,
      'play.next': 7,
      'words.now': 3,
    })
  }))

test('rows of the user are read once, for their sizes and for the run', () =>
  inFolder(async folder => {
    const rows = `
export default (async function* () {
  for (const label of [0, 1, 2, 1]) yield { label, x: label / 2 }
})()`
    writeFileSync(join(folder, 'rows.ts'), rows)
    writeFileSync(
      join(folder, 'once.ltm'),
      `dataset Rows from typescript("./rows.ts") {
  field x: f32 = column("x")
  field label: i32 = column("label")
}
train Once {
  data rows = Rows(batch: 2)
  param w: f32[rows.label.count] = zeros()
  optimizer sgd = Sgd([w], lr: 0.1)
  step train(batch) { minimize cross_entropy(w * batch.x[.., _], batch.label) }
  trainer { epochs: 1 }
}
`,
    )
    const { code, err } = await ltm(['run', 'once.ltm', '--backend', 'cpu'], folder)
    assert.equal([code, err], [0, ''])
  }))

test('a dataset may ask another one', () =>
  inPlace(
    people
      .replace('People from', 'People(kinds: int = 9) from')
      .replace('encode(column("kind"))', 'encode(column("kind"), size: kinds)')
      .replace('  model', '  data others = People(batch: 5, kinds: people.level.count)\n  model')
      .replace('people.kind.count', 'others.kind.count')
      .replaceAll('(batch) {', '(batch from people.train) {')
      .replace('people.train) {', 'people.train, other from others.train) {')
      .replace('minimize', 'log kind = mean(f32(other.kind))\n    minimize'),
    20,
    async folder => {
      const counts = await countsIn(folder)
      assert.equal([counts['people.level'], counts['others.kind']], [4, 2])
    },
  ))

for (const [what, text, message] of [
  [
    'a negative number',
    people.replace('= column("level")', '= column("level") - 1'),
    'LTM5117 guess.ltm:21: `people.level` gives no size: it is -1 in people.jsonl:1, and numbers are counted from 0',
  ],
  [
    'a negative fit',
    people.replace('i32(max(column("level"))) + 1', 'i32(min(column("level"))) - 1'),
    'LTM5117 guess.ltm:20: `people.levels` gives no size: it is -1, and sizes are whole numbers from 0',
  ],
  [
    'a column that is not there',
    people.replace('column("friend"))\n  fit', 'column("frind"))\n  fit'),
    'LTM5134 guess.ltm:2: people.jsonl:1: has no `frind`; it has `user`, `friend`, `text`, `level`, `kind`',
  ],
  [
    'a vocabulary of numbers',
    people.replace('column("friend"))\n  fit', 'column("level"))\n  fit'),
    'LTM5110 guess.ltm:3: column("level") holds f64 in each example, but the vocabulary `names` needs texts',
  ],
  [
    'a file that is not there',
    people.replace('people.jsonl', 'absent.jsonl'),
    'LTM5101 guess.ltm:2: data file absent.jsonl does not exist: ',
  ],
  [
    'a text of another split',
    people.replace('field level', 'split train: 0.5, val: 0.5\n  field level'),
    'LTM5114 guess.ltm:6: people.jsonl:20: “zoe” in column("friend") does not occur in the training split, so it has no number',
  ],
] as const)
  test(`${what} is told where it stands`, () =>
    inPlace(text, 20, async folder => {
      const told = await failure(compileWithData(folder, 'guess', 2))
      assert.is(told.slice(0, message.length), message)
    }))

test.run()
