import type * as chevrotain from 'chevrotain'

// Chevrotain's entry point loads 700 small files, most of them lodash's, which takes longer than a check. The package, whose
// version is fixed, also holds all of them as one file; only its `exports` do not name it.
const bundle = new URL('../chevrotain.mjs', import.meta.resolve('chevrotain'))

export const { CstParser, createToken, createTokenInstance, Lexer }: typeof chevrotain = await import(
  bundle.href
)
