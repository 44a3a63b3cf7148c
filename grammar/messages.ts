import type { IParserErrorMessageProvider, TokenType } from 'chevrotain'
import { vocabulary } from './tokens.ts'

/**
 * What the parser says of an error: only the names of the token types that it expected, separated by spaces.
 * The sentence is made later, when the place is known.
 */
export class SyntaxMessages implements IParserErrorMessageProvider {
  buildMismatchTokenMessage(options: { readonly expected: TokenType }): string {
    return options.expected.name
  }
  buildNotAllInputParsedMessage(): string {
    return 'EOF'
  }
  buildNoViableAltMessage(options: { readonly expectedPathsPerAlt: TokenType[][][] }): string {
    return names(options.expectedPathsPerAlt.flat())
  }
  buildEarlyExitMessage(options: { readonly expectedIterationPaths: TokenType[][] }): string {
    return names(options.expectedIterationPaths)
  }
}

const names = (paths: readonly (readonly TokenType[])[]): string =>
  [...new Set(paths.map(path => path[0]?.name ?? ''))].join(' ')

/** What could stand where a rule stopped; by rule, and by the expected token where the rule has several places. */
const byRule: Readonly<Record<string, string>> = {
  Expr: 'an expression',
  Operand: 'an expression',
  IndexItem: 'an index',
  Trailer: 'a member name',
  Stage: 'a function to pipe into',
  Type: 'a type',
  Size: 'a size',
  Body: '`=` or a block',
  Axis: 'an axis',
  GroupedAxis: 'an axis',
  GlobSegment: 'a name, `*` or `**`',
  Arg: 'an argument',
  RecordField: 'a field',
  'Args RParen': '`,` or `)`',
  'Formals RParen': '`,` or `)`',
  'PatternCall RParen': '`,` or `)`',
  'PatternStage RParen': '`,` or `)`',
  'PatternCall Colon': '`:` and a pattern',
  'PatternBody Arrow': 'an axis or `->`',
  'Shape RBracket': '`,` or `]`',
  'List RBracket': '`,` or `]`',
  'IndexItems RBracket': '`,` or `]`',
  'Record RBrace': '`,` or `}`',
  'RecordType RBrace': '`,` or `}`',
  'BracedNames RBrace': '`,` or `}`',
  'Formals LParen': '`(` and the arguments',
  'Block LBrace': '`{`',
  'Step Phase': '`train`, `val`, `test` or `predict`',
  'HookCadence Unit': '`batches`, `updates`, `epochs`, `examples`, `seconds`, `minutes` or `hours`',
  'Param Colon': '`:` and a type',
  'Buffer Colon': '`:` and a type',
  'State Colon': '`:` and a type',
  'Slot Colon': '`:` and a type',
  'Field Colon': '`:` and a type',
  'Hyper Colon': '`:` and a type',
  'Constraint version': '`version` and a number',
  'Dataset from': '`from` and a source',
}

const labels: ReadonlyMap<string, string> = new Map(
  vocabulary.map(type => [type.name, type.LABEL ?? type.name]),
)

/** What could stand here, in words. */
export function expectation(rule: string, expected: readonly string[]): string {
  const known = byRule[`${rule} ${expected.join(' ')}`] ?? (expected.length > 1 ? byRule[rule] : undefined)
  if (known) return known
  if (rule === 'Trailer') return 'a member name'
  const texts = [...new Set(expected.map(name => labels.get(name) ?? name))]
  const last = texts.pop() ?? 'something else'
  return texts.length === 0 ? last : `${texts.join(', ')} or ${last}`
}
