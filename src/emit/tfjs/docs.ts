import type { Closure, Func, ValueType } from '../../ir/ir.ts'
import type { Dim } from '../../types/dim.ts'
import { lineWidth, type Verbatim, verbatim } from '../layout.ts'
import { type Env, traceOf } from './env.ts'
import { isForEvaluation } from './phases.ts'
import { stemOf } from './values.ts'

/**
 * The documentation of a function: what its author wrote, its signature with shapes, where it stands. Of several
 * specialisations that read the same it shows what they have in common; a size that differs gets a letter.
 */
export function documentation(env: Env, instances: readonly Func[]): Verbatim {
  const [func] = instances
  if (func === undefined) return verbatim('/** */')
  const signature = `\`${signatureText(instances, func)}\` ${traceOf(env, func.origin)}`
  const doc = [...paragraphs(func.doc ?? ''), ...purpose(env, func), ...wrapped(signature)]
  const lines = doc.map(line => line.replaceAll('*/', '* /'))
  return commentOf(lines)
}

/** What the author of an update wrote, and where it stands. */
export function plainDocumentation(env: Env, { doc, origin }: Closure): Verbatim {
  const lines = [...paragraphs(doc ?? ''), traceOf(env, origin)].map(line => line.replaceAll('*/', '* /'))
  return commentOf(lines)
}

function commentOf(lines: readonly string[]): Verbatim {
  const [only = ''] = lines
  if (lines.length === 1 && only.length + 8 <= lineWidth) return verbatim(`/** ${only} */`)
  return verbatim(['/**', ...lines.map(line => ` * ${line}`), ' */'].join('\n'))
}

/** How a function differs from the one that training calls. */
function purpose(env: Env, func: Func): readonly string[] {
  if (!isForEvaluation(env, func)) return []
  const trained = env.program.functions.filter(
    each => each.declaration === func.declaration && env.phases.get(each.name)?.has('train'),
  )
  const calm = trained.some(each => draws(env, each)) && !draws(env, func)
  return [calm ? 'As evaluation calls it: nothing is random.' : 'As evaluation calls it.']
}

function draws(env: Env, { name, params }: Func): boolean {
  const needed = env.emitted.get(`plain ${name}`)?.needed ?? []
  return params.some(({ type }, i) => type === 'key' && needed[i] === true)
}

/** Lines of at most the width of a comment, broken at spaces, but not inside a shape. */
function wrapped(text: string): readonly string[] {
  const lines = ['']
  for (const word of wordsOf(text)) {
    const line = lines.at(-1) ?? ''
    if (line !== '' && line.length + word.length + 4 > lineWidth) lines.push(word)
    else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`
  }
  return lines.map(line => line.replaceAll('\u00a0', ' '))
}

/** Words that a line break may part: neither a shape nor, if it fits a line, the result of a signature. */
function wordsOf(text: string): readonly string[] {
  const parted = [inResult, inShape].map(unbroken =>
    text.replace(unbroken, match => match.replace(' ', '\u00a0')).split(' '),
  )
  return parted.find(words => words.every(word => word.length + 3 <= lineWidth)) ?? text.split(' ')
}

const inShape = /: (?=\w+\[)|(?<=\[[^\]]*), /g
const inResult = /: (?=\w+\[)|(?<=\[[^\]]*), |(?<= -> [^`]*) |(?<= ->) /g

/** Paragraphs as they were written, filled anew where a line is too long for a comment here. */
function paragraphs(doc: string): readonly string[] {
  const lines = doc
    .trim()
    .split('\n')
    .map(line => line.trim())
    .filter(line => line !== '')
  return lines.every(line => line.length + 3 <= lineWidth) ? lines : wrapped(lines.join(' '))
}

// ── Signatures ──────────────────────────────────────────────────────────────────────────────────────────────────────

/** Parts of a signature in which neighbours of one type share it: `m, v: f32[...p], t`. */
interface Typed {
  readonly name: string
  readonly type?: string
}

function signatureText(instances: readonly Func[], func: Func): string {
  const letters = new Letters(instances)
  const tensors = func.params.flatMap((param, i): readonly Typed[] => {
    if (param.member !== undefined || param.type === 'key') return []
    const types = instances.map(({ params }) => params[i]?.type)
    return [{ name: stemOf(param.name), type: typeText(param.type, types, letters) }]
  })
  const hosts = func.hostParams.map((name): Typed => ({ name }))
  return `${func.declaration}(${typedList([...tensors, ...hosts])})${resultText(instances, func, letters)}`
}

function typedList(items: readonly Typed[]): string {
  const texts = items.map(({ name, type }, i) =>
    type === undefined || items[i + 1]?.type === type ? name : `${name}: ${type}`,
  )
  return texts.join(', ')
}

function resultText(instances: readonly Func[], func: Func, letters: Letters): string {
  const types = func.results.map((_, i) => {
    const each = instances.map(instance => typeOfValue(instance, instance.results[i]))
    return each[0] === undefined ? '?' : typeText(each[0], each, letters)
  })
  const { fields } = func
  if (fields === undefined) return types.length === 1 ? ` -> ${types.join()}` : ''
  return ` -> { ${typedList(fields.map((name, i) => ({ name, type: types[i] ?? '?' })))} }`
}

function typeOfValue(func: Func, name: string | undefined): ValueType | undefined {
  const values = [...func.params, ...func.steps.flatMap(step => step.outputs)]
  return values.find(value => value.name === name)?.type
}

function typeText(type: ValueType, types: readonly (ValueType | undefined)[], letters: Letters): string {
  if (type === 'key') return 'key'
  if (type.shape.length === 0) return type.dtype
  const sizes = type.shape.map((_, i) =>
    letters.size(types.map(each => (each === undefined || each === 'key' ? 0 : (each.shape[i] ?? 0)))),
  )
  return `${type.dtype}[${sizes.join(', ')}]`
}

/** One letter for each way in which sizes differ between specialisations. */
class Letters {
  readonly #known = new Map<string, string>()
  readonly #taken: ReadonlySet<string>

  constructor(instances: readonly Func[]) {
    const types = instances.flatMap(({ params }) => params.map(({ type }) => type))
    this.#taken = new Set(types.flatMap(type => (type === 'key' ? [] : type.shape.map(String))))
  }

  size(sizes: readonly Dim[]): string {
    const [first = ''] = sizes
    if (sizes.every(size => size === first)) return String(first)
    const key = sizes.join()
    const known = this.#known.get(key)
    if (known !== undefined) return known
    const free = [...'nmkpqrstuvwxyzabcdefghijl'].find(
      letter => !this.#taken.has(letter) && ![...this.#known.values()].includes(letter),
    )
    this.#known.set(key, free ?? '_')
    return free ?? '_'
  }
}
