import { positionAt } from '../../src/base/source.ts'
import type { Diagnostic } from '../../src/diagnostics/diagnostic.ts'

/** What `// ~ error LTM2101` at the end of a line says about it, as `12 error LTM2101`. */
export function announced(text: string): readonly string[] {
  return text.split('\n').flatMap((line, i) => {
    const note = /\/\/ ~ (.*)$/.exec(line)?.[1]
    return note === undefined ? [] : note.split(', ').map(each => `${i + 1} ${each}`)
  })
}

/** The same of what was reported. Places outside of the program itself are named by their file. */
export function reported(diagnostics: readonly Diagnostic[], name: string): readonly string[] {
  return diagnostics.map(({ code, severity, span }) => {
    const { line } = positionAt(span.source, span.start)
    return `${span.source.name === name ? '' : `${span.source.name} `}${line} ${severity} ${code}`
  })
}
