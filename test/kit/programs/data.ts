import type { Chance } from './chance.ts'
import type { Declarations } from './declarations.ts'
import { fixed, indented, type Size, typeText, type Value } from './values.ts'

/** A dataset, and what each of its examples has. */
export interface DeclaredData {
  readonly name: string
  /** Its name in the training. */
  readonly local: string
  readonly inputs: readonly Value[]
  /** A number, a class of so many, a bool as 0 or 1, and a weight of an example. */
  readonly targets: readonly Value[]
  readonly hasVal: boolean
  readonly options: string
}

const waves =
  'fn waves(i: f32[n], count: int) -> f32[n, count] = sin(i[.., _] * (0.11 + 0.37 * f32(arange(count)))[_, ..])'

const shapes: readonly (readonly number[])[] = [
  [3],
  [4],
  [6],
  [4, 4],
  [5, 3],
  [3, 4],
  [1, 6, 6],
  [2, 5, 4],
  [2, 3, 2],
]

const batch: Size = { text: 'batch.size', size: undefined }

export function declareData(program: Declarations, chance: Chance): DeclaredData {
  return chance.maybe(0.15) ? table(program, chance) : synthetic(program, chance)
}

/** Examples that are computed from their index. */
function synthetic(program: Declarations, chance: Chance): DeclaredData {
  program.need(waves)
  const name = program.fresh('D')
  const lines: string[] = []
  const field = (value: Omit<Value, 'text'>, expression: string): Value => {
    const own = program.fresh('u')
    lines.push(`field ${own}: ${typeText(value)} = ${expression}`)
    return { ...value, text: own }
  }
  const inputs = Array.from({ length: chance.between(1, 2) }, () => {
    const shape = chance.pick(shapes)
    const dims = shape.map(fixed)
    if (chance.maybe(0.25)) {
      const top = chance.between(2, 5)
      const [t] = shape as [number]
      return field(
        { dtype: 'i32', dims: [fixed(t)], top },
        `i32(floor(${(top / 2 - 0.01).toFixed(2)} * (1 + waves(index, ${t}))))`,
      )
    }
    const count = shape.reduce((product, size) => product * size, 1)
    const flat = `waves(index + ${chance.below(5)}, ${count})`
    if (shape.length === 1)
      return field({ dtype: 'f32', dims }, chance.maybe(0.3) ? `standardize(${flat})` : flat)
    const letters = ['a', 'b', 'c'].slice(0, shape.length)
    const sizes = letters.slice(1).map((letter, i) => `${letter}: ${shape[i + 1]}`)
    return field(
      { dtype: 'f32', dims },
      `rearrange(${flat} : n (${letters.join(' ')}) -> n ${letters.join(' ')}, ${sizes.join(', ')})`,
    )
  })
  const top = chance.between(2, 4)
  const targets = [
    field({ dtype: 'f32', dims: [] }, 'cos(0.7 * index)'),
    field({ dtype: 'i32', dims: [], top }, `i32(index) % ${top}`),
    field({ dtype: 'f32', dims: [], top: 2 }, 'f32(i32(index) % 2)'),
  ]
  const first = inputs[0]!
  if (first.dtype === 'f32' && chance.maybe(0.3))
    lines.push(`augment ${first.text} = ${first.text} + normal(0, 0.1, like: ${first.text})`)
  if (chance.maybe(0.15)) lines.push(`filter index > ${chance.below(3)}`)
  const hasVal = chance.maybe(0.6)
  const by = chance.maybe(0.2) ? `, by: ${targets[1]!.text}` : ''
  if (hasVal) lines.push(`split train: 0.7, val: 0.3${by}`)
  const count = chance.between(9, 17)
  program.declare([`dataset ${name} from synthetic(count: ${count}) {`, ...indented(lines), '}'].join('\n'))
  return { name, local: program.fresh('data'), inputs, targets, hasVal, options: options(chance) }
}

/** Examples that stand in the program. */
function table(program: Declarations, chance: Chance): DeclaredData {
  const name = program.fresh('D')
  const count = chance.between(6, 11)
  const column = (number: (i: number) => number) =>
    `[${Array.from({ length: count }, (_, i) => number(i).toFixed(2).replace(/\.00$/, '')).join(', ')}]`
  const columns = [
    `a: ${column(i => Math.sin(i))}`,
    `b: ${column(i => Math.cos(1.7 * i))}`,
    `c: ${column(i => Math.sin(0.3 * i * i))}`,
    `d: ${column(i => i % 3)}`,
  ]
  const [x, y, k, s] = ['x', 'y', 'k', 's'].map(each => program.fresh(each)) as [
    string,
    string,
    string,
    string,
  ]
  const lines = [
    `field ${x}: f32[3] = columns(0..3)`,
    `field ${y}: f32 = column("c")`,
    `field ${k}: i32 = column(3)`,
    `field ${s}: f32 = f32(column(3) > 0)`,
  ]
  program.declare(
    [`dataset ${name} from inline(${columns.join(', ')}) {`, ...indented(lines), '}'].join('\n'),
  )
  return {
    name,
    local: program.fresh('data'),
    inputs: [{ text: x, dtype: 'f32', dims: [fixed(3)] }],
    targets: [
      { text: y, dtype: 'f32', dims: [] },
      { text: k, dtype: 'i32', dims: [], top: 3 },
      { text: s, dtype: 'f32', dims: [], top: 2 },
    ],
    hasVal: false,
    options: options(chance),
  }
}

const options = (chance: Chance): string =>
  [
    `batch: ${chance.between(2, 5)}`,
    ...(chance.maybe(0.2) ? ['shuffle: false'] : []),
    ...(chance.maybe(0.15) ? ['drop_last: true'] : []),
  ].join(', ')

/** A field in a step: with the axis of the batch in front. */
export const inBatch = (stream: string, value: Value): Value => ({
  ...value,
  text: `${stream}.${value.text}`,
  dims: [{ ...batch, text: `${stream}.size` }, ...value.dims],
})
