import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type Check, checkSeed } from './kit/programs/checks.ts'
import { compiled } from './kit/programs/compiling.ts'
import { randomProgram } from './kit/programs/program.ts'
import { type Failure, shrunk } from './kit/programs/shrink.ts'

/**
 * Programs at random keep the promises that are made for all: they compile without a word, mean the same when they are
 * formatted, read back from their IR; both engines come to the same, and go on where they were interrupted. A few seeds
 * stand here; `npm run bench random` tries as many as one likes.
 */
const test = suite('generated')

async function checkSeeds(from: number, to: number, size: number, checks: readonly Check[]): Promise<void> {
  for (let seed = from; seed < to; seed++) {
    const found = await checkSeed(seed, size, checks)
    assert.ok(!found, `seed ${seed} of size ${size}: ${found?.problem}\n${found?.program}`)
  }
}

test('random programs compile without a word, and mean the same formatted and read back', () =>
  checkSeeds(100, 115, 6, ['compiles']))

test('large ones do', () => checkSeeds(1, 2, 20, ['compiles']))

test('both engines train random programs alike, and go on from where they were interrupted', () =>
  checkSeeds(1, 4, 6, ['compiles', 'runs']))

test('a seed gives one program, and others give others', () => {
  assert.is(randomProgram(1), randomProgram(1))
  assert.is.not(randomProgram(1), randomProgram(2))
})

test('a failing program becomes smaller while it fails in the same way', async () => {
  const seed = Array.from({ length: 50 }, (_, i) => i).find(each => randomProgram(each).includes('einsum'))
  const text = randomProgram(seed ?? 0)
  const hasProduct: Failure = async smaller => {
    try {
      compiled(smaller)
      return smaller.includes('einsum') ? 'has a product of tensors' : undefined
    } catch {
      return 'does not compile'
    }
  }
  const small = await shrunk(text, hasProduct, 200)
  compiled(small)
  assert.match(small, 'einsum')
  assert.ok(small.length < 0.6 * text.length, small)
})

test.run()
