import { theParser } from '../../../grammar/parser.ts'
import type { CstNode, Place, Token } from '../../../grammar/tokens.ts'
import { nestingLimit, TooDeep } from '../../../grammar/types.ts'
import type { View } from './view.ts'

/** Where and how the parser stopped. All numbers are indices of tokens. */
export interface Failure {
  readonly at: number
  /** The rule that could not go on, and the rules around it, outermost first. */
  readonly rule: string
  readonly rules: readonly string[]
  /** The names of the token types that it could have taken. */
  readonly expected: readonly string[]
  /** The declarations, members and statements that are open here, outermost first. */
  readonly open: readonly { readonly place: Place; readonly start: number }[]
  /** Passed where the limit of nesting is. */
  readonly tooDeep: number | undefined
}

export type Attempt = { readonly tree: CstNode } | { readonly failure: Failure }

/** Parses tokens as declarations, up to the first error. */
export function attempt(view: View): Attempt {
  const parser = theParser()
  parser.start(view.tokens)
  try {
    const tree = parser.File()
    const error = parser.errors[0]
    if (!error) return { tree }
    const rules = error.context.ruleStack
    const expected = error.message.split(' ')
    return {
      failure: failureAt(view, error.token, {
        rule: rules.at(-1) ?? 'File',
        rules,
        expected,
        tooDeep: undefined,
      }),
    }
  } catch (thrown) {
    if (!(thrown instanceof TooDeep)) throw thrown
    return {
      failure: failureAt(view, thrown.token, { rule: '', rules: [], expected: [], tooDeep: nestingLimit }),
    }
  }
}

function failureAt(view: View, token: Token, rest: Omit<Failure, 'at' | 'open'>): Failure {
  const indexOf = (each: Token) => {
    const index = view.tokens.indexOf(each)
    return index < 0 ? view.tokens.length : index
  }
  const open = theParser().open.map(({ place, token: first }) => ({ place, start: indexOf(first) }))
  return { at: indexOf(token), open, ...rest }
}

const listRules: Readonly<Record<string, Place>> = {
  File: 'file',
  ConstraintBody: 'constraint',
  ModuleBody: 'module',
  MetricBody: 'metric',
  OptimizerBody: 'optimizer',
  DatasetBody: 'dataset',
  TrainBody: 'train',
  Block: 'block',
}

/** The place of the list that could not go on, if the parser stopped between two items. */
export function listPlace(failure: Failure): Place | undefined {
  const place = listRules[failure.rule]
  return failure.expected.includes('RBrace') || place === 'file' ? place : undefined
}
