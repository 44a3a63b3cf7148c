import type { Chance } from './chance.ts'
import type { Declarations } from './declarations.ts'
import type { Grow } from './grow.ts'
import type { Rule } from './rule.ts'
import { type Members, Scope } from './scope.ts'
import { indented, isBatch, isNumber, type Size, substituted, typeText, type Value } from './values.ts'

/** A module that was declared, for one instance. */
export interface ModuleDeclared {
  readonly name: string
  /** As it is instantiated: `M3(4, true)`. */
  readonly instance: string
  readonly result: readonly Size[]
  readonly stateful: boolean
}

/** Declares a module that takes values like these. Some of their sizes are its arguments. */
export function declareModule(
  program: Declarations,
  chance: Chance,
  grow: Grow,
  takes: readonly Pick<Value, 'dtype' | 'dims' | 'top'>[],
  count: number,
): ModuleDeclared {
  const name = program.fresh('M')
  const sizes = new Map<string, Size>()
  const argument = (size: Size): Size => {
    if (isBatch(size)) return { text: 'n', size: undefined }
    if (isNumber(size) && chance.maybe(0.7)) return size
    const known = [...sizes].find(([, given]) => given.text === size.text)?.[0]
    const text = known ?? `w${sizes.size}`
    sizes.set(text, size)
    return { text, size: size.size }
  }
  const inputs: readonly Value[] = takes.map(value => ({
    ...value,
    text: program.fresh('x'),
    dims: value.dims.map(argument),
  }))
  const members: Members = { lines: [], stateful: false }
  const scope = new Scope({ program, chance, members }, inputs)
  for (const value of inputs)
    if (value.dtype !== 'f32') scope.bind(`0.3 * f32(${scope.use(value)})`, value.dims)
  program.depth += 1
  grow({ scope, chance }, count)
  program.depth -= 1
  const isSwitched = chance.maybe(0.2)
  const own = isSwitched ? switched(scope) : scope.result()
  const result = isRoot(program) ? gained(scope, own) : own
  const formals = inputs.map(value => `${value.text}: ${typeText(value)}`).join(', ')
  const body = [
    ...members.lines,
    `forward(${formals})${chance.maybe(0.8) ? ` -> ${typeText(result)}` : ''} {`,
    ...indented([...scope.lines, `return ${result.text}`]),
    '}',
  ]
  const formalSizes = [
    ...[...sizes.keys()].map(each => `${each}: int`),
    ...(isSwitched ? ['flag: bool = true'] : []),
  ]
  program.declare([`module ${name}(${formalSizes.join(', ')}) {`, ...indented(body), '}'].join('\n'))
  const given = [
    ...[...sizes.values()].map(({ text }) => text),
    ...(isSwitched && chance.maybe() ? ['flag: false'] : []),
  ]
  const batch = takes[0]!.dims[0]!
  return {
    name,
    instance: `${name}(${given.join(', ')})`,
    result: result.dims.map(size => substituted(size, new Map([...sizes, ['n', batch]]))),
    stateful: members.stateful,
  }
}

/** A model has a parameter, whatever else it is made of. */
function gained(scope: Scope, { text, dims }: Value): Value {
  const name = scope.program.fresh('p')
  scope.members?.lines.push(`param ${name}: f32 = 0.9`)
  return scope.bind(`${name} * ${text}`, dims)
}

const isRoot = ({ depth }: Declarations): boolean => depth === 0

/** A parameter that is there under a condition. */
function switched(scope: Scope): Value {
  const result = scope.result()
  const name = scope.program.fresh('p')
  const dims = result.dims.slice(1)
  scope.members?.lines.push(`if flag { param ${name}: ${typeText({ dtype: 'f32', dims })} = normal(0, 0.3) }`)
  return scope.bind(`if flag then ${result.text} + ${name} else tanh(${result.text})`, result.dims)
}

/** A module of a module. */
export const submoduleRule =
  (grow: Grow): Rule =>
  ({ scope, chance }) => {
    const { program, members } = scope
    const x = scope.float(({ dims }) => dims.length >= 1 && isBatch(dims[0]!))
    if (members === undefined || x === undefined || program.depth > 2 || scope.isLoop) return
    const declared = declareModule(
      program,
      chance,
      grow,
      [x],
      chance.between(1, Math.max(1, program.size - 2)),
    )
    if (declared.stateful) members.stateful = true
    const name = program.fresh('l')
    members.lines.push(`layer ${name} = ${declared.instance}`)
    scope.bind(`${name}(${scope.use(x)})`, declared.result)
  }
