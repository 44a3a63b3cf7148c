import { type Entry, error, warning } from './entry.ts'

/** LTM1xxx: what the lexer and the parser find. */
export const syntax = {
  // ── Characters, literals, limits ──
  LTM1001: error((d: { character: string }) => `${d.character} does not belong to ltm.`),
  LTM1002: error(
    (_: Record<never, never>) => 'This string is not closed on its line.',
    () => 'End it with `"`; a line break inside a string is written `\\n`.',
  ),
  LTM1003: error(
    (d: { written: string }) => `\`${d.written}\` is not an escape.`,
    () => 'A string knows `\\"`, `\\\\`, `\\n` and `\\t`.',
  ),
  LTM1004: error(
    (d: { limit: number }) => `This is nested more than ${d.limit} levels deep.`,
    () => 'Name a part of it with `let`, or move it into a `fn`.',
  ),
  LTM1005: error(
    (d: { limit: number }) => `This row of operations is longer than ${d.limit}.`,
    () => 'Name parts of it with `let`.',
  ),
  // ── Expressions ──
  LTM1006: error((_: Record<never, never>) => 'A `not` inside an operation needs parentheses.'),
  LTM1007: error(
    (_: { suggestion: string }) => 'Comparisons do not chain.',
    d => `Write \`${d.suggestion}\`.`,
  ),
  // ── Structure ──
  LTM1010: error(
    (d: { found: string; expected: string; context: string }) =>
      `Found ${d.found} where ${d.expected} should stand${d.context}.`,
  ),
  LTM1011: error(
    (d: { written: string; meant: string; context: string }) => `There is no \`${d.written}\`${d.context}.`,
    d => `Did you mean \`${d.meant}\`?`,
  ),
  LTM1012: error(
    (d: { name: string }) => `The type \`${d.name}\` takes no arguments.`,
    () => 'Only `fn(A) -> B` and `module(A) -> B` do; a shape stands in brackets: `f32[n]`.',
  ),
  LTM1013: error(
    (_: Record<never, never>) => 'What is logged needs a plain name before `=`.',
    () => 'Write `log name = value`.',
  ),
  // ── Habits from other languages ──
  LTM1023: error(
    (d: { written: string }) => `There is no \`${d.written}\`: every value has a type.`,
    () => 'Leave the argument out, or declare under `if` what may be absent.',
  ),
  LTM1024: error(
    (d: { written: string; instead: string }) => `\`${d.written}\` is written \`${d.instead}\`.`,
  ),
  LTM1040: warning((_: Record<never, never>) => ''),
} satisfies Record<string, Entry<never>>
