import { annotation, type Code, join, ts } from '../../base/code.ts'
import { type Line, statement } from '../layout.ts'
import { quote, runtimeTypes, runtimeValues } from './names.ts'

/** One import of what the text of a program uses; no local name hides the runtime's, so that looking for them is enough. */
export function importLine(text: string, runtime: string): Line {
  const code = withoutStrings(text)
  const values: readonly Code[] = runtimeValues.filter(name =>
    new RegExp(`(?<![.\\w$])${name}(?=[.(<])`).test(code),
  )
  const types = runtimeTypes.filter(name => new RegExp(`(?<![.\\w$])${name}(?![\\w$:(])`).test(code))
  return statement(
    ts`import { ${join(values)}${annotation`${join(
      types.map(name => `, type ${name}`),
      '',
    )}`} } from ${quote(runtime)}`,
  )
}

/** Whether a text refers to a local name or a member of one, by a look at its words. */
export function refersTo(text: string, name: string): boolean {
  const code = withoutStrings(text)
  const word = withoutStrings(name).replace(/[.[\]$]/g, '\\$&')
  return new RegExp(`(?<![.\\w$])${word}(?![\\w$:])`).test(code)
}

function withoutStrings(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\/|\/\/[^\n]*|'(?:[^'\\\n]|\\.)*'|"[^"\n]*"/g, ' ')
}
