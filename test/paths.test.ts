import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { pathFrom } from '../src/base/paths.ts'

const test = suite('paths')

test('a path is told from the folder of the compiled file', () => {
  assert.is(pathFrom('main.ltm', 'data/digits.ltm', 'digits.csv'), 'data/digits.csv')
  assert.is(pathFrom('a/main.ltm', 'a/data/digits.ltm', '../digits.csv'), 'digits.csv')
  assert.is(pathFrom('a/b/main.ltm', 'a/c/digits.ltm', './d/digits.csv'), '../c/d/digits.csv')
  assert.is(pathFrom('/x/main.ltm', '/x/y/digits.ltm', 'digits.csv'), 'y/digits.csv')
  assert.is(pathFrom('../main.ltm', '../data/digits.ltm', 'digits.csv'), 'data/digits.csv')
})

test('what does not depend on a folder stays as it is', () => {
  assert.is(pathFrom('main.ltm', 'main.ltm', './a/../b.csv'), './a/../b.csv')
  for (const path of ['/data/x.csv', '~/x.csv', 'C:/x.csv', 'C:\\x.csv'])
    assert.is(pathFrom('main.ltm', 'data/digits.ltm', path), path)
})

test.run()
