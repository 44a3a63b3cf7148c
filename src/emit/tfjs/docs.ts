import type { Func, ValueType } from '../../ir/ir.ts'
import type { Dim } from '../../types/dim.ts'
import { lineWidth, type Verbatim, verbatim } from '../layout.ts'
import { traceOf } from './env.ts'

/**
 * The documentation of a function: what its author wrote, its signature with shapes, where it stands. Of several
 * specialisations that read the same it shows what they have in common; a size that differs gets a letter.
 */
export function documentation(instances: readonly Func[]): Verbatim {
  const [func] = instances
  if (func === undefined) return verbatim('/** */')
  const doc = paragraphs(func.doc ?? '')
  const signature = `\`${signatureText(instances, func)}\` ${traceOf(func.origin)}`
  const lines = [...doc, ...wrapped(signature)].map(line => line.replaceAll('*/', '* /'))
  const [only = ''] = lines
  if (lines.length === 1 && only.length + 8 <= lineWidth) return verbatim(`/** ${only} */`)
  return verbatim(['/**', ...lines.map(line => ` * ${line}`), ' */'].join('\n'))
}

/** Lines of at most the width of a comment, broken at spaces, but not inside a shape. */
function wrapped(text: string): readonly string[] {
  const lines = ['']
  for (const word of text
    .replace(/: (?=\w+\[)|(?<=\[[^\]]*), /g, match => match.replace(' ', '\u00a0'))
    .split(' ')) {
    const line = lines.at(-1) ?? ''
    if (line !== '' && line.length + word.length + 4 > lineWidth) lines.push(`  ${word}`)
    else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`
  }
  return lines.map(line => line.replaceAll('\u00a0', ' '))
}

/** Paragraphs as they were written, filled anew where a line is too long for a comment here. */
function paragraphs(doc: string): readonly string[] {
  const lines = doc
    .trim()
    .split('\n')
    .map(line => line.trim())
    .filter(line => line !== '')
  if (lines.every(line => line.length + 3 <= lineWidth)) return lines
  return wrapped(lines.join(' ')).map(line => line.trim())
}

function signatureText(instances: readonly Func[], func: Func): string {
  const letters = new Letters(instances)
  const shown = func.params.flatMap((param, i) =>
    param.member !== undefined || param.type === 'key'
      ? []
      : [
          `${param.name}: ${typeText(
            param.type,
            instances.map(({ params }) => params[i]?.type),
            letters,
          )}`,
        ],
  )
  return `${func.declaration}(${[...shown, ...func.hostParams].join(', ')})${resultText(instances, func, letters)}`
}

function resultText(instances: readonly Func[], func: Func, letters: Letters): string {
  const texts = func.results.map((_, i) => {
    const types = instances.map(instance => typeOfValue(instance, instance.results[i]))
    const [type] = types
    return type === undefined ? '?' : typeText(type, types, letters)
  })
  const { fields } = func
  if (fields === undefined) return texts.length === 1 ? ` -> ${texts.join()}` : ''
  return ` -> { ${fields.map((field, i) => `${field}: ${texts[i]}`).join(', ')} }`
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
