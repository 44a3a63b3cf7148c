import { type CstNode, CstParser, type IOrAlt, type IToken, type ParserMethod } from 'chevrotain'
import type { SyntaxMessages } from './messages.ts'
import * as t from './tokens.ts'

/** How deep expressions, types and blocks may lie in one another; the recursion of every later phase is bounded by it. */
export const nestingLimit = 100

/** Thrown where {@link nestingLimit} is passed; `token` is where. */
export class TooDeep extends Error {
  readonly token: IToken
  constructor(token: IToken) {
    super('nested too deeply')
    this.token = token
  }
}

export type Rule = ParserMethod<[], CstNode>
/** The alternatives of rules that run often are made once, not at each call. */
export type Alternatives = IOrAlt<unknown>[]

/** The rules of signatures and types. */
export abstract class TypeParser extends CstParser {
  protected abstract readonly Expr: Rule
  #depth = 0

  constructor(messages: SyntaxMessages, skipValidations: boolean) {
    super([...t.vocabulary], {
      maxLookahead: 2,
      recoveryEnabled: false,
      nodeLocationTracking: 'onlyOffset',
      errorMessageProvider: messages,
      skipValidations,
    })
  }

  protected resetDepth(): void {
    this.#depth = 0
  }
  protected deeper(): void {
    this.ACTION(() => {
      if (++this.#depth > nestingLimit) throw new TooDeep(this.LA(1))
    })
  }
  protected shallower(): void {
    this.ACTION(() => {
      this.#depth--
    })
  }

  // ── Signatures and types ──────────────────────────────────────────────────────────────────────────────────────────

  Formals = this.RULE('Formals', () => {
    this.CONSUME(t.LParen)
    this.OPTION(() => {
      this.SUBRULE(this.Formal)
      this.MANY(() => {
        this.CONSUME(t.Comma)
        this.SUBRULE2(this.Formal)
      })
      this.OPTION2(() => this.CONSUME2(t.Comma))
    })
    this.CONSUME(t.RParen)
  })

  Formal = this.RULE('Formal', () => {
    this.CONSUME(t.Name)
    this.OPTION(() => {
      this.CONSUME(t.Colon)
      this.SUBRULE(this.Type)
    })
    this.OPTION2(() => {
      this.CONSUME(t.Equals)
      this.SUBRULE(this.Expr)
    })
  })

  private readonly types: Alternatives = [
    { ALT: () => this.SUBRULE(this.LikeType) },
    { ALT: () => this.SUBRULE(this.NamedType) },
    { ALT: () => this.SUBRULE(this.FnType) },
    { ALT: () => this.SUBRULE(this.ListType) },
    { ALT: () => this.SUBRULE(this.RecordType) },
  ]
  Type = this.RULE('Type', () => {
    this.deeper()
    this.OR(this.types)
    this.shallower()
  })

  LikeType = this.RULE('LikeType', () => {
    this.CONSUME(t.word.like)
    this.CONSUME(t.Name)
  })

  NamedType = this.RULE('NamedType', () => {
    this.CONSUME(t.Name)
    this.OPTION(() =>
      this.OR([{ ALT: () => this.SUBRULE(this.Shape) }, { ALT: () => this.SUBRULE(this.FnTypeSignature) }]),
    )
  })

  FnType = this.RULE('FnType', () => {
    this.CONSUME(t.word.fn)
    this.OPTION(() => this.SUBRULE(this.FnTypeSignature))
  })

  FnTypeSignature = this.RULE('FnTypeSignature', () => {
    this.CONSUME(t.LParen)
    this.OPTION(() => {
      this.SUBRULE(this.Type)
      this.MANY(() => {
        this.CONSUME(t.Comma)
        this.SUBRULE2(this.Type)
      })
      this.OPTION2(() => this.CONSUME2(t.Comma))
    })
    this.CONSUME(t.RParen)
    this.CONSUME(t.Arrow)
    this.SUBRULE3(this.Type, { LABEL: 'result' })
  })

  ListType = this.RULE('ListType', () => {
    this.CONSUME(t.LBracket)
    this.SUBRULE(this.Type)
    this.CONSUME(t.RBracket)
  })

  RecordType = this.RULE('RecordType', () => {
    this.CONSUME(t.LBrace)
    this.OPTION(() => {
      this.SUBRULE(this.RecordTypeField)
      this.MANY(() => {
        this.CONSUME(t.Comma)
        this.SUBRULE2(this.RecordTypeField)
      })
      this.OPTION2(() => this.CONSUME2(t.Comma))
    })
    this.CONSUME(t.RBrace)
  })

  RecordTypeField = this.RULE('RecordTypeField', () => {
    this.CONSUME(t.AnyWord)
    this.CONSUME(t.Colon)
    this.SUBRULE(this.Type)
  })

  Shape = this.RULE('Shape', () => {
    this.CONSUME(t.LBracket)
    this.OPTION(() => {
      this.SUBRULE(this.Size)
      this.MANY(() => {
        this.CONSUME(t.Comma)
        this.SUBRULE2(this.Size)
      })
      this.OPTION2(() => this.CONSUME2(t.Comma))
    })
    this.CONSUME(t.RBracket)
  })

  private readonly sizes: Alternatives = [
    {
      ALT: () => {
        this.CONSUME(t.Ellipsis)
        this.CONSUME(t.Name)
      },
    },
    { ALT: () => this.SUBRULE(this.Expr) },
  ]
  Size = this.RULE('Size', () => {
    this.OR(this.sizes)
  })
}
