/**
 * The names that a TypeScript or JavaScript file exports, by a look at its text: nothing of it runs. Undefined where it hands
 * on all that another file exports.
 */
export function exportedNames(text: string): readonly string[] | undefined {
  const code = withoutComments(text)
  if (/\bexport\s*\*\s*from\b/.test(code)) return undefined
  const declared = code.matchAll(
    /\bexport\s+(?:declare\s+)?(?:async\s+)?(?:abstract\s+)?(?:function\s*\*?|const|let|var|class|enum)\s*([\w$]+)/g,
  )
  const listed = [...code.matchAll(/\bexport\s*\{([^}]*)\}/g)].flatMap(([, list = '']) => list.split(','))
  return [
    ...[...declared].flatMap(([, name]) => name ?? []),
    ...listed
      .map(
        each =>
          each
            .trim()
            .split(/\s+as\s+/)
            .at(-1) ?? '',
      )
      .filter(name => name !== ''),
  ]
}

/** Strings stay, since a comment may seem to begin in one. */
function withoutComments(text: string): string {
  return text.replace(/(["'`])(?:\\.|(?!\1)[^\\])*\1|\/\/[^\n]*|\/\*[\s\S]*?\*\//g, (piece, quote) =>
    quote === undefined ? ' ' : piece,
  )
}
