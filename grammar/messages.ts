import type { IParserErrorMessageProvider, TokenType } from 'chevrotain'

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
