import { independentRows, jacobian, logDeterminant, moved, slopeOf } from './differences.ts'
import { apart, textOfNumbers } from './numbers.ts'
import { draws, generic, raws, rawsWithin, rawsWithSlope, weights } from './points.ts'
import { count, type Outcome, type Place, type Subject } from './subject.ts'

/** What every constraint promises. */
export interface Law {
  readonly name: string
  readonly test: (subject: Subject, place: Place, seed: number) => Promise<Outcome>
}

const holds = (what: string): Outcome => ({ kind: 'holds', what })
const open = (why: string): Outcome => ({ kind: 'open', why })
const broken = (role: Extract<Outcome, { kind: 'broken' }>['role'], problem: string): Outcome => ({
  kind: 'broken',
  role,
  problem,
})

const at = (raw: readonly number[]): string => `at raw ${textOfNumbers(raw)}`
const points = (list: readonly unknown[]): string => `${list.length} raw value${list.length === 1 ? '' : 's'}`

/** In 32 bits and on the backend that is asked for, up to raw sizes that training may reach. */
const value: Law = {
  name: 'value',
  test: async (subject, place, seed) => {
    const list = raws(subject, seed)
    for (const backend of place.backends) {
      await place.on(backend)
      for (const raw of list) {
        const found = subject.forward(raw)
        const shown = `${at(raw)} the value is ${textOfNumbers(found)}`
        if (!found.every(Number.isFinite)) return broken('forward', `${shown} on ${backend}`)
        if (subject.check?.(found).every(Boolean) === false)
          return broken('check', `${shown} on ${backend}, for which \`check\` is false`)
      }
    }
    return holds(`${points(list)} give one that is finite${subject.check ? ' and satisfies `check`' : ''}`)
  },
}

const inverse: Law = {
  name: 'inverse',
  test: async (subject, place, seed) => {
    const { inverse: back } = subject
    if (!back) return open('there is no `inverse`')
    const list = rawsWithin(subject, seed, subject.largest)
    await place.on('cpu')
    return place.inDouble(() => {
      // Where the raw size is wrong no inverse could be right: that is told of the size.
      const finds = subject.bijective && freeCoordinates(subject, seed).length === count(subject.raw)
      for (const raw of list) {
        const found = subject.forward(raw)
        const carried = back(found)
        const again = subject.forward(carried)
        if (apart(again, found, 1e-6))
          return broken(
            'inverse',
            `it carries the value ${textOfNumbers(found)} to raw ${textOfNumbers(carried)}, which gives ${textOfNumbers(again)}`,
          )
        if (finds && apart(carried, raw, 1e-5))
          return broken(
            'inverse',
            `raw ${textOfNumbers(raw)} gives the value ${textOfNumbers(found)}, which it carries to raw ${textOfNumbers(carried)}; ` +
              'a `bijective` constraint finds the raw tensor again',
          )
      }
      return holds(`${points(list)}: it is one of the value${finds ? ' and of the raw tensor' : ''}`)
    })
  },
}

const logDet: Law = {
  name: 'log_det',
  test: async (subject, place, seed) => {
    const { logDet: total } = subject
    if (!total) return open('there is no `log_det`')
    await place.on('cpu')
    for (const raw of raws(subject, seed))
      if (!Number.isFinite(total(raw))) return broken('log_det', `${at(raw)} it adds up to ${total(raw)}`)
    return place.inDouble(() => {
      const free = freeCoordinates(subject, seed)
      if (free.length !== count(subject.raw)) return open('the value does not tell all raw numbers apart')
      const coordinates = (raw: readonly number[]): readonly number[] => {
        const found = subject.forward(raw)
        return free.map(i => found[i] ?? Number.NaN)
      }
      const tried = rawsWithSlope(subject, seed).flatMap(raw => {
        const matrix = jacobian(coordinates, raw)
        return matrix ? [{ raw, wanted: logDeterminant(matrix) }] : []
      })
      for (const { raw, wanted } of tried) {
        const found = total(raw)
        if (apart([found], [wanted], 1e-6))
          return broken(
            'log_det',
            `${at(raw)} it adds up to ${textOfNumbers([found])}, and the logarithm of the Jacobian's determinant is ${textOfNumbers([wanted])}`,
          )
      }
      if (tried.length === 0) return open('the map has a kink wherever it was tried')
      return holds(`${points(tried)}: it is the logarithm of the Jacobian's determinant`)
    })
  },
}

/** The first elements that none before them determine; as many as there are raw numbers where the map loses nothing. */
function freeCoordinates(subject: Subject, seed: number): readonly number[] {
  return independentRows(jacobian(subject.forward, generic(subject, seed)) ?? [])
}

const gradient: Law = {
  name: 'gradient',
  test: async (subject, place, seed) => {
    const by = weights(subject)
    await place.on('cpu')
    // Where the value is not finite, that is told of the value.
    const list = raws(subject, seed).filter(raw => subject.forward(raw).every(Number.isFinite))
    for (const backend of place.backends) {
      await place.on(backend)
      for (const raw of list) {
        const slopes = subject.gradient(raw, by)
        if (!slopes.every(Number.isFinite))
          return broken('forward', `${at(raw)} its gradient is ${textOfNumbers(slopes)} on ${backend}`)
      }
    }
    await place.on('cpu')
    const total = (raw: readonly number[]): number =>
      subject.forward(raw).reduce((sum, x, i) => sum + x * (by[i] ?? 0), 0)
    return place.inDouble(() => {
      for (const raw of rawsWithSlope(subject, seed)) {
        const found = subject.gradient(raw, by)
        for (const [i, slope] of found.entries()) {
          const wanted = slopeOf(h => total(moved(raw, i, h)))
          if (wanted !== undefined && apart([slope], [wanted], 1e-6))
            return broken(
              'forward',
              `${at(raw)} its gradient by raw element ${i} is ${textOfNumbers([slope])}, and the slope of the map ${textOfNumbers([wanted])}`,
            )
        }
      }
      return holds(`${points(list)}: it is finite, and the slope of the map`)
    })
  },
}

const size: Law = {
  name: 'raw size',
  test: async (subject, place, seed) => {
    if (!subject.bijective) return open('it is not declared `bijective`')
    await place.on('cpu')
    const free = place.inDouble(() => freeCoordinates(subject, seed)).length
    const numbers = count(subject.raw)
    if (free === numbers) return holds(`${numbers} raw numbers move the value in as many directions`)
    return broken(
      'raw',
      `a \`bijective\` constraint loses no raw number, and this one's ${numbers} move the value in ${free} direction${free === 1 ? '' : 's'} only`,
    )
  },
}

const rows: Law = {
  name: 'rows',
  test: async (subject, place, seed) => {
    if (subject.stateful) return open('each parameter has buffers of its own')
    if (!subject.two) return open('its shape has no `...s` in front')
    await place.on('cpu')
    const [first = [], second = []] = draws(count(subject.raw), seed)
    const both = subject.two([...first, ...second])
    const each = [...subject.forward(first), ...subject.forward(second)]
    if (!apart(both, each, 1e-6)) return holds('two at once are constrained as one by one')
    return broken(
      'forward',
      `two at once give ${textOfNumbers(both)}, one by one they give ${textOfNumbers(each)}`,
    )
  },
}

const fresh: Law = {
  name: 'fresh',
  test: async (subject, place, seed) => {
    await place.on('cpu')
    const [first = [], second = []] = draws(count(subject.raw), seed)
    const before = subject.forward(first)
    subject.forward(second)
    const again = subject.forward(first)
    if (!apart(again, before, 0)) return holds('the value depends on the raw tensor alone')
    return broken(
      'forward',
      `${at(first)} the value is ${textOfNumbers(before)} first and ${textOfNumbers(again)} later`,
    )
  },
}

const once: Law = {
  name: 'once',
  test: async ({ computed }) =>
    computed === 1
      ? holds('a step that reads the parameter three times computes it once')
      : broken('forward', `a step that reads the parameter three times computes it ${computed} times`),
}

const backends: Law = {
  name: 'backends',
  test: async (subject, place, seed) => {
    const [reference = 'cpu', ...others] = place.backends
    if (others.length === 0) return open(`there is only ${reference}`)
    await place.on(reference)
    const wanted = raws(subject, seed).map(raw => ({ raw, values: [...subject.forward(raw)] }))
    for (const backend of others) {
      await place.on(backend)
      for (const { raw, values } of wanted) {
        const found = subject.forward(raw)
        if (found.every(Number.isFinite) && apart(found, values, 1e-5))
          return broken(
            'forward',
            `${at(raw)} the value is ${textOfNumbers(values)} on ${reference} and ${textOfNumbers(found)} on ${backend}`,
          )
      }
    }
    return holds(`${place.backends.join(' and ')} agree`)
  },
}

/** The nine laws, in the order in which they are told. */
export const laws: readonly Law[] = [value, inverse, logDet, gradient, size, rows, fresh, once, backends]
