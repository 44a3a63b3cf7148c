import swc from '@swc/wasm-typescript'

/**
 * TypeScript as JavaScript: types become spaces, so that lines and columns stay what they are. The package is the one that
 * Node itself has for this. Throws where the text has more of TypeScript than types, such as an `enum`.
 */
export function withoutTypes(text: string, path: string): string {
  try {
    return swc.transformSync(text, { mode: 'strip-only', filename: path }).code
  } catch (error) {
    const problem = isProblem(error) ? `${error.message}${lineOf(error)}` : String(error)
    throw new SyntaxError(problem)
  }
}

interface Problem {
  readonly message: string
  readonly startLine?: unknown
}

function isProblem(error: unknown): error is Problem {
  return (
    typeof error === 'object' && error !== null && 'message' in error && typeof error.message === 'string'
  )
}

const lineOf = ({ startLine }: Problem): string =>
  typeof startLine === 'number' ? ` (line ${startLine})` : ''
