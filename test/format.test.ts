/** `ltm fmt`: what formatted text looks like, that it says the same, and that formatting it again changes nothing. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { tokenize } from '../grammar/tokens.ts'
import { format, formatWidth } from '../src/format/format.ts'
import { expectFile, forEachCase, orphans } from './kit/cases.ts'

const test = suite('format')
const root = fileURLToPath(new URL('../', import.meta.url))

function formatted(text: string, name = 'test.ltm'): string {
  const result = format({ name, text })
  if ('text' in result) return result.text
  throw new Error(`${name}: ${result.errors.map(error => error.message).join('; ')}`)
}

forEachCase('format', ({ name, path, read }) => {
  test(`${name} reads as expected`, () => {
    const text = formatted(read('input.ltm'))
    expectFile(path('expected.ltm'), text)
    assert.is(formatted(text), text)
  })
})

test('no expectation is left over', () => orphans('format'))

const files = ['stdlib', 'examples', 'test/cases'].flatMap(folder =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter(name => name.endsWith('.ltm'))
    .map(name => ({ name: `${folder}/${name}`, text: readFileSync(join(root, folder, name), 'utf8') })),
)
const sound = files.filter(({ name, text }) => 'text' in format({ name, text }))

test('the library and the examples are formatted', () => {
  const own = files.filter(({ name }) => /^(stdlib|examples)\//.test(name))
  const others = own.filter(({ name, text }) => formatted(text, name) !== text)
  assert.ok(own.length > 10)
  assert.equal(
    others.map(({ name }) => name),
    [],
  )
})

test('formatting again changes nothing, and lines fit unless a comment does not', () => {
  assert.ok(sound.length > 100)
  for (const { name, text } of sound) {
    const once = formatted(text, name)
    assert.is(formatted(once, name), once, name)
    for (const line of once.split('\n'))
      assert.ok(line.length <= formatWidth || line.includes('//') || line.includes('"'), `${name}: ${line}`)
  }
})

/** The tokens of a text with other space between them; where a comment stands, its line ends. */
function respaced(text: string, spaces: readonly string[]): string {
  const { tokens, comments } = tokenize(text)
  const all = [...tokens, ...comments].sort((a, b) => a.startOffset - b.startOffset)
  return all
    .map(
      (token, i) => token.image + (token.image.startsWith('//') ? '\n' : (spaces[i % spaces.length] ?? ' ')),
    )
    .join('')
}

test('whatever space stands between tokens, the text says the same and is stable', () => {
  const space = fc.constantFrom(' ', '  ', '\n', '\n\n', '\n\n\n  ', ' \n')
  fc.assert(
    fc.property(fc.nat(sound.length - 1), fc.array(space, { minLength: 1, maxLength: 40 }), (at, spaces) => {
      const { name, text } = sound[at]!
      const once = formatted(respaced(text, spaces), name)
      return formatted(once, name) === once
    }),
    { numRuns: 150, seed: 7 },
  )
})

test('a text with a syntax error is left alone', () => {
  const result = format({ name: 'test.ltm', text: 'fn f(x: f32[n]) = \n' })
  assert.ok('errors' in result && result.errors.length > 0)
})

test('an empty text stays empty', () => assert.is(formatted('  \n\n'), ''))

test.run()
