import * as assert from 'uvu/assert'

/** Numbers within a tolerance that is relative above 1 and absolute below. */
export function near(
  actual: readonly number[],
  expected: readonly number[],
  tolerance: number,
  what: string,
): void {
  assert.is(actual.length, expected.length, `${what}: ${actual.length} numbers, not ${expected.length}`)
  for (const [i, value] of actual.entries()) {
    const wanted = expected[i]!
    const close = value === wanted || Math.abs(value - wanted) <= tolerance * Math.max(1, Math.abs(wanted))
    assert.ok(close, `${what}, number ${i}: ${value} is not ${wanted} (to ${tolerance})`)
  }
}
