/**
 * Where two values of JSON first differ, and how: other members, other texts, or numbers further apart than a tolerance that is
 * relative above 1 and absolute below. Undefined where they are nearly the same.
 */
export function apart(expected: unknown, actual: unknown, tolerance: number, path = ''): string | undefined {
  if (typeof expected === 'number' && typeof actual === 'number')
    return isNear(expected, actual, tolerance) ? undefined : `${path}: ${actual}, not ${expected}`
  if (isHolder(expected) && isHolder(actual)) {
    const [wanted, got] = [new Map(Object.entries(expected)), new Map(Object.entries(actual))]
    const names = [...wanted.keys()]
    if (names.join() !== [...got.keys()].join())
      return `${path}: has ${[...got.keys()].join()}, not ${names.join()}`
    return firstOf(names, name => apart(wanted.get(name), got.get(name), tolerance, `${path}/${name}`))
  }
  return Object.is(expected, actual) ? undefined : `${path}: ${String(actual)}, not ${String(expected)}`
}

function isNear(expected: number, actual: number, tolerance: number): boolean {
  return (
    Object.is(expected, actual) || Math.abs(actual - expected) <= tolerance * Math.max(1, Math.abs(expected))
  )
}

/** A list or a record. */
function isHolder(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}

function firstOf<T, U>(items: readonly T[], found: (item: T) => U | undefined): U | undefined {
  for (const item of items) {
    const result = found(item)
    if (result !== undefined) return result
  }
  return undefined
}
