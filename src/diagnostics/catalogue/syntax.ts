import { type Entry, error, warning } from './entry.ts'

type Nothing = Record<never, never>

/** LTM1xxx: what the lexer and the parser find. */
export const syntax = {
  // ── Characters, literals, limits ──────────────────────────────────────────────────────────────────────────────────
  LTM1001: error(
    (d: { character: string }) => `${d.character} is not a character of the language.`,
    d => (d.character === '`?`' ? 'A choice is written `if condition then a else b`.' : undefined),
  ),
  LTM1002: error(
    (_: Nothing) => 'This string is not closed on its line.',
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

  // ── Expressions ───────────────────────────────────────────────────────────────────────────────────────────────────
  LTM1006: error((_: Nothing) => 'A `not` inside another operation needs parentheses.'),
  LTM1007: error(
    (_: { suggestion: string }) => 'Comparisons do not chain.',
    d => `Write \`${d.suggestion}\`.`,
  ),
  LTM1008: error(
    (d: { word: string }) => `An \`${d.word}\` inside an operation needs parentheses.`,
    d => (d.word === 'if' ? 'Write `a + (if c then x else y)`.' : undefined),
  ),
  LTM1009: error(
    (d: { written: string; instead: string }) => `The number \`${d.written}\` is written \`${d.instead}\`.`,
  ),

  LTM1042: error(
    (d: { written: string }) => `\`${d.written}\` has two points, which no number has.`,
    () => 'In a range the two points stand together: `0..77`.',
  ),

  // ── Structure ─────────────────────────────────────────────────────────────────────────────────────────────────────
  LTM1010: error(
    (d: { found: string; expected: string; context: string }) =>
      `Expected ${d.expected}, but found ${d.found}${d.context}.`,
  ),
  LTM1011: error(
    (d: { written: string; meant: string; context: string }) => `Unknown word \`${d.written}\`${d.context}.`,
    d => `Did you mean \`${d.meant}\`?`,
  ),
  LTM1012: error(
    (d: { name: string }) => `The type \`${d.name}\` takes no arguments.`,
    () => 'Only `fn(A) -> B` and `module(A) -> B` do; a shape stands in brackets: `f32[n]`.',
  ),
  LTM1013: error(
    (_: Nothing) => 'What is logged needs a plain name before `=`.',
    () => 'Write `log name = value`.',
  ),
  LTM1014: error(
    (d: { word: string }) => `\`${d.word}\` is a word of the language and cannot be a name here.`,
    () => 'It may name a field of a record or a member, but not a variable or an argument.',
  ),
  LTM1015: error(
    (d: { opener: string; closer: string; found: string; context: string }) =>
      `Expected \`${d.closer}\` before ${d.found}: this \`${d.opener}\` is not closed${d.context}.`,
  ),
  LTM1016: error(
    (d: { word: string; here: string; there: string; context: string }) =>
      `\`${d.word}\` does not stand ${d.here}${d.context}.`,
    d => `\`${d.word}\` stands ${d.there}.`,
  ),
  LTM1017: error((d: { closer: string }) => `Nothing is open that this \`${d.closer}\` could close.`),
  LTM1018: error(
    (d: { opener: string; closer: string }) =>
      `This \`${d.closer}\` does not close the \`${d.opener}\` before it.`,
  ),

  // ── Habits from other languages ───────────────────────────────────────────────────────────────────────────────────
  LTM1020: error(
    (d: { name: string; instead: string }) => `To give \`${d.name}\` a value, write \`${d.instead}\`.`,
    () => '`let` names a value, `var` declares a variable, and `set` gives a variable a new value.',
  ),
  LTM1021: error(
    (d: { operator: string; instead: string }) => `There is no \`${d.operator}\`: write \`${d.instead}\`.`,
  ),
  LTM1022: error((_: Nothing) => 'A power is written `^`.'),
  LTM1023: error(
    (d: { written: string }) => `There is no \`${d.written}\`: every value has a type.`,
    () => 'Leave the argument out, or declare under `if` what may be absent.',
  ),
  LTM1024: error(
    (d: { written: string; instead: string }) => `\`${d.written}\` is written \`${d.instead}\`.`,
  ),
  LTM1025: error(
    (_: { count: number }) => 'Statements and members end by themselves, without `;`.',
    d =>
      d.count > 1
        ? `Leave out all ${d.count} of them: each statement begins with its word.`
        : 'Leave it out.',
  ),
  LTM1026: error(
    (_: { context: string }) => 'An expression alone does nothing.',
    () =>
      'Name its value with `let x = …`, give it back with `return`, or record it with `log`; `call f(…)` calls an imported TypeScript function.',
  ),
  LTM1027: error(
    (d: { written: string; instead: string }) => `There is no \`${d.written}\`: write \`${d.instead}\`.`,
  ),
  LTM1028: error(
    (_: Nothing) => 'An import names what it takes, in braces.',
    () => 'Write `import { Name } from "./file.ltm"`. The standard library needs no import.',
  ),
  LTM1029: error((_: Nothing) => 'A comment begins with `//`.'),
  LTM1030: error((_: Nothing) => 'A string stands in double quotes.'),
  LTM1031: error(
    (d: { name: string }) => `The name of an argument is followed by \`:\`: write \`${d.name}: …\`.`,
  ),
  LTM1032: error(
    (_: Nothing) => 'What belongs to it stands in braces, not behind `:`.',
    () => 'Write `{` here and `}` at the end.',
  ),
  LTM1033: error((_: Nothing) => 'The type of a result stands behind `->`.'),
  LTM1034: error(
    (d: { written: string; instead: string; meaning: string }) =>
      `${d.meaning} is written \`${d.instead}\`, not \`${d.written}\`.`,
  ),
  LTM1035: error(
    (_: Nothing) => 'The condition of a choice stands first.',
    () => 'Write `if condition then a else b`.',
  ),
  LTM1036: error(
    (_: Nothing) => '`print` takes a string, without parentheses.',
    () => 'A value is put into it with braces: `print "loss {value}"`.',
  ),
  LTM1037: error(
    (d: { word: string; name: string; context: string }) =>
      `A member begins with its word: write \`${d.word} ${d.name}: …\`${d.context}.`,
  ),
  LTM1040: warning(
    (_: Nothing) => 'This is a comment: what follows `//` is not computed.',
    () => 'Floor division is written `div`.',
  ),
  LTM1041: error(
    (_: Nothing) => 'This is a comment, and the bracket that it closes is not read.',
    () => 'Floor division is written `div`.',
  ),
} satisfies Record<string, Entry<never>>
