import type { Span } from '../base/source.ts'
import type { Renderable } from '../diagnostics/render.ts'

interface Problem {
  readonly span: Span
  readonly message: string
  readonly note?: string
  readonly help?: string
}

/** What `ltm test-constraints` finds: a broken law, an argument that nothing gives, a constraint that can't be tried. */
export function lawProblem(code: 'LTM4010' | 'LTM4011' | 'LTM4012', problem: Problem): Renderable {
  const { span, message, note, help } = problem
  return { code, severity: 'error', message, span, note, labels: [], help, fix: undefined }
}
