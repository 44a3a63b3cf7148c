import { normalize } from 'node:path'
import { positionAt } from '../base/source.ts'
import type { Diagnostic, Fix } from '../diagnostics/diagnostic.ts'
import type { Cli } from './cli.ts'
import { checkFile } from './compileFile.ts'
import { isProblem, readSource, replaceFile } from './files.ts'

/** A repair may show the next one; more rounds than this would chase each other. */
const mostRounds = 10

/**
 * Repairs a file by the fixes that its diagnostics carry, checking it again after each round, and names what it changed. What imported files need
 * is done where these are named.
 */
export async function fixFile(path: string, cli: Cli): Promise<void> {
  const seen = new Set<string>()
  for (let round = 0; round < mostRounds; round++) {
    const source = readSource(path)
    if (isProblem(source) || seen.has(source.text)) return
    seen.add(source.text)
    const diagnostics = await checkFile(path, cli)
    const fixes = apart(diagnostics.flatMap(diagnostic => fixIn(diagnostic, normalize(path))))
    if (fixes.length === 0) return
    replaceFile(path, repaired(source.text, fixes))
    for (const { title, span } of fixes) {
      const { line, column } = positionAt(span.source, span.start)
      cli.terminal.out(`fixed ${path}:${line}:${column}: ${title}\n`)
    }
  }
}

function fixIn({ fix }: Diagnostic, name: string): readonly Fix[] {
  return fix && fix.span.source.name === name ? [fix] : []
}

/** In the order of the text; of those that meet the first. */
function apart(fixes: readonly Fix[]): readonly Fix[] {
  const kept: Fix[] = []
  for (const fix of fixes.toSorted((a, b) => a.span.start - b.span.start || a.span.end - b.span.end))
    if (fix.span.start >= (kept.at(-1)?.span.end ?? 0)) kept.push(fix)
  return kept
}

function repaired(text: string, fixes: readonly Fix[]): string {
  return fixes.reduceRight(
    (before, { span, replacement }) => before.slice(0, span.start) + replacement + before.slice(span.end),
    text,
  )
}
