/** `set x[i] = v` and `set s.h = v`: what the whole is then, and what its parts get of a gradient. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { evaluate } from './kit/evaluate.ts'
import { near } from './kit/near.ts'

const test = suite('setting parts')

const source = `
fn item(x: f32[n, k], v: f32[k]) -> f32[n, k] {
  var y = x
  set y[1] = v
  return y
}
fn corner(x: f32[n, k]) -> f32[n, k] {
  var y = x
  set y[-1, 0..2] = 7
  return y
}
fn columns(x: f32[n, k], v: f32[n]) -> f32[n, k] {
  var y = x
  set y[.., -1] = v * y[.., 0]
  set y[..., 0] = 0
  return y
}
fn middle(x: f32[n, k, m], v: f32) -> f32[n, k, m] {
  var y = x
  set y[0, .., 1..2] = v
  return y
}
fn whole(x: f32[n, k]) -> f32[n, k] {
  var y = x
  set y[..] = x + 1
  set y[...] = 2 * y
  return y
}
fn asked(x: f32[n, k], v: f32[n], at: f32) -> f32[n, k] {
  var y = x
  set y[.., i32(at)] = v
  return y
}
fn both(x: f32[n, k], v: f32, at: f32) -> f32[n, k] {
  var y = x
  set y[i32(at), i32(at)] = v
  set y[0, i32(at)] = 2 * v
  return y
}
fn counted(x: f32[t]) -> f32[t] {
  var sums: f32[t] = zeros()
  var at: i32 = 0
  for v in along(x, axis: 0) {
    set sums[at] = v + sum(sums)
    set at = at + 1
  }
  return sums
}
fn unrolled(x: f32[3]) -> f32[3] {
  var y: f32[3] = zeros()
  for i in 0..3 { set y[i] = x[2 - i] }
  return y
}
fn twice(x: f32[2]) -> f32[2, 2] {
  var rows = [x, 2 * x]
  set rows[1] = 3 * rows[0]
  set rows[-2][0] = 9
  return stack(rows)
}
fn fields(x: f32[2]) -> f32[4] {
  var s = { h: x, c: { a: x } }
  set s.h = 2 * s.h
  set s.c.a[1] = 5
  return concat([s.h, s.c.a])
}
`

const x = [1, 2, 3, 4, 5, 6]
const cases = await evaluate(
  {
    item: { inputs: { x: 'f32[2, 3]', v: 'f32[3]' }, value: 'item(x, v)' },
    corner: { inputs: { x: 'f32[2, 3]' }, value: 'corner(x)' },
    columns: { inputs: { x: 'f32[2, 3]', v: 'f32[2]' }, value: 'columns(x, v)' },
    middle: { inputs: { x: 'f32[2, 2, 3]', v: 'f32' }, value: 'middle(x, v)' },
    whole: { inputs: { x: 'f32[2, 3]' }, value: 'whole(x)' },
    asked: { inputs: { x: 'f32[2, 3]', v: 'f32[2]', at: 'f32' }, value: 'asked(x, v, at)' },
    both: { inputs: { x: 'f32[2, 3]', v: 'f32', at: 'f32' }, value: 'both(x, v, at)' },
    counted: { inputs: { x: 'f32[4]' }, value: 'counted(x)' },
    unrolled: { inputs: { x: 'f32[3]' }, value: 'unrolled(x)' },
    twice: { inputs: { x: 'f32[2]' }, value: 'twice(x)' },
    fields: { inputs: { x: 'f32[2]' }, value: 'fields(x)' },
    bools: { inputs: { x: 'f32[3]' }, value: 'flags(x)' },
  },
  `${source}
fn flags(x: f32[n]) -> f32[n] {
  var on = x > 0
  set on[0] = true
  var ids = i32(x)
  set ids[1..] = 4
  return f32(on) + f32(ids)
}`,
)

test('the whole has the new part in its place', () => {
  assert.equal(cases.item.value({ x, v: [7, 8, 9] }), [1, 2, 3, 7, 8, 9])
  assert.equal(cases.corner.value({ x }), [1, 2, 3, 7, 7, 6])
  assert.equal(cases.columns.value({ x, v: [10, 100] }), [0, 2, 10, 0, 5, 400])
  assert.equal(cases.middle.value({ x: [...x, ...x], v: 0 }), [1, 0, 3, 4, 0, 6, 1, 2, 3, 4, 5, 6])
  assert.equal(cases.whole.value({ x }), [4, 6, 8, 10, 12, 14])
  assert.equal(cases.unrolled.value({ x: [1, 2, 3] }), [3, 2, 1])
  assert.equal(cases.bools.value({ x: [-1, -2, 3] }), [0, 4, 5])
})

test('a place that only the run knows', () => {
  assert.equal(cases.asked.value({ x, v: [10, 20], at: 1 }), [1, 10, 3, 4, 20, 6])
  assert.equal(cases.both.value({ x, v: 7, at: 1 }), [1, 14, 3, 4, 7, 6])
  assert.equal(cases.counted.value({ x: [1, 2, 3, 4] }), [1, 3, 7, 15])
  assert.throws(() => cases.asked.value({ x, v: [10, 20], at: 3 }), /index 3 is outside 0\.\.3/)
})

test('items of lists and fields of records', () => {
  assert.equal(cases.twice.value({ x: [1, 2] }), [9, 2, 3, 6])
  assert.equal(cases.fields.value({ x: [1, 2] }), [2, 4, 1, 5])
})

test('what is replaced gets no gradient, and what replaces it does', () => {
  const by = [1, 2, 3, 4, 5, 6]
  const item = cases.item.gradient({ x, v: [7, 8, 9] }, by)
  near(item.x!, [1, 2, 3, 0, 0, 0], 1e-6, 'x of item')
  near(item.v!, [4, 5, 6], 1e-6, 'v of item')
  const columns = cases.columns.gradient({ x, v: [10, 100] }, by)
  near(columns.x!, [30, 2, 0, 600, 5, 0], 1e-6, 'x of columns')
  near(columns.v!, [3, 24], 1e-6, 'v of columns')
  const asked = cases.asked.gradient({ x, v: [7, 8], at: 2 }, by)
  near(asked.x!, [1, 2, 0, 4, 5, 0], 1e-6, 'x of asked')
  near(asked.v!, [3, 6], 1e-6, 'v of asked')
  near(cases.counted.gradient({ x: [1, 2, 3, 4] }).x!, [8, 4, 2, 1], 1e-6, 'x of counted')
})

test.run()
