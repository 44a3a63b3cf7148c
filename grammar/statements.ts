import { ExpressionParser } from './expressions.ts'
import * as t from './tokens.ts'
import type { Alternatives } from './types.ts'

/** Where a declaration, member or statement begins, and in which kind of list it stands. */
export interface OpenItem {
  readonly place: t.Place
  readonly token: t.Token
}

/** The rules of blocks and statements, some of which are members too. */
export abstract class StatementParser extends ExpressionParser {
  /** The items that were open where parsing stopped, outermost first. */
  readonly open: OpenItem[] = []

  protected begin(place: t.Place): void {
    this.ACTION(() => {
      this.open.push({ place, token: this.LA(1) })
    })
  }
  protected end(): void {
    this.ACTION(() => {
      this.open.pop()
    })
  }

  Block = this.RULE('Block', () => {
    this.CONSUME(t.LBrace)
    this.deeper()
    this.MANY(() => this.SUBRULE(this.Statement))
    this.shallower()
    this.CONSUME(t.RBrace)
  })

  private readonly statements: Alternatives = [
    { ALT: () => this.SUBRULE(this.Let) },
    { ALT: () => this.SUBRULE(this.Var) },
    { ALT: () => this.SUBRULE(this.Set) },
    { ALT: () => this.SUBRULE(this.For) },
    { ALT: () => this.SUBRULE(this.If) },
    { ALT: () => this.SUBRULE(this.While) },
    { ALT: () => this.CONSUME(t.word.break) },
    { ALT: () => this.SUBRULE(this.Return) },
    { ALT: () => this.SUBRULE(this.Yield) },
    { ALT: () => this.SUBRULE(this.Minimize) },
    { ALT: () => this.SUBRULE(this.Log) },
    { ALT: () => this.CONSUME(t.word.skip) },
    { ALT: () => this.SUBRULE(this.Stop) },
    { ALT: () => this.SUBRULE(this.Print) },
    { ALT: () => this.SUBRULE(this.Debug) },
    { ALT: () => this.SUBRULE(this.Checkpoint) },
    { ALT: () => this.SUBRULE(this.Freeze) },
    { ALT: () => this.SUBRULE(this.Unfreeze) },
    { ALT: () => this.SUBRULE(this.Call) },
  ]
  Statement = this.RULE('Statement', () => {
    this.begin('block')
    this.OR(this.statements)
    this.end()
  })

  BracedNames = this.RULE('BracedNames', () => {
    this.CONSUME(t.LBrace)
    this.CONSUME(t.Name)
    this.MANY(() => {
      this.CONSUME(t.Comma)
      this.CONSUME2(t.Name)
    })
    this.OPTION(() => this.CONSUME2(t.Comma))
    this.CONSUME(t.RBrace)
  })

  private readonly letForms: Alternatives = [
    {
      ALT: () => {
        this.CONSUME(t.Name)
        this.OPTION(() => {
          this.CONSUME(t.Colon)
          this.SUBRULE(this.Type)
        })
      },
    },
    { ALT: () => this.SUBRULE(this.BracedNames) },
  ]
  Let = this.RULE('Let', () => {
    this.CONSUME(t.word.let)
    this.OR(this.letForms)
    this.CONSUME(t.Equals)
    this.SUBRULE(this.Expr)
  })

  Var = this.RULE('Var', () => {
    this.CONSUME(t.word.var)
    this.CONSUME(t.Name)
    this.OPTION(() => {
      this.CONSUME(t.Colon)
      this.SUBRULE(this.Type)
    })
    this.CONSUME(t.Equals)
    this.SUBRULE(this.Expr)
  })

  private readonly setForms: Alternatives = [
    { ALT: () => this.SUBRULE(this.BracedNames) },
    { ALT: () => this.SUBRULE(this.Target) },
  ]
  Set = this.RULE('Set', () => {
    this.CONSUME(t.word.set)
    this.OR(this.setForms)
    this.CONSUME(t.Equals)
    this.SUBRULE(this.Expr)
  })

  If = this.RULE('If', () => {
    this.deeper()
    this.CONSUME(t.word.if)
    this.SUBRULE(this.Expr)
    this.SUBRULE(this.Block, { LABEL: 'then' })
    this.OPTION(() => {
      this.CONSUME(t.word.else)
      this.OR([
        { ALT: () => this.SUBRULE(this.If) },
        { ALT: () => this.SUBRULE2(this.Block, { LABEL: 'otherwise' }) },
      ])
    })
    this.shallower()
  })

  While = this.RULE('While', () => {
    this.CONSUME(t.word.while)
    this.SUBRULE(this.Expr)
    this.SUBRULE(this.Block)
  })

  Return = this.RULE('Return', () => {
    this.CONSUME(t.word.return)
    this.OPTION(() => this.SUBRULE(this.Expr))
  })

  Yield = this.RULE('Yield', () => {
    this.CONSUME(t.word.yield)
    this.SUBRULE(this.Expr)
  })

  Minimize = this.RULE('Minimize', () => {
    this.CONSUME(t.word.minimize)
    this.SUBRULE(this.Term)
    this.MANY(() => {
      this.CONSUME(t.Comma)
      this.SUBRULE2(this.Term)
    })
    this.OPTION(() => {
      this.CONSUME(t.word.with)
      this.CONSUME(t.Name)
    })
  })

  Term = this.RULE('Term', () => {
    this.OPTION(() => {
      this.CONSUME(t.Name)
      this.CONSUME(t.Equals)
    })
    this.SUBRULE(this.Expr)
    this.OPTION2(() => {
      this.CONSUME(t.word.over)
      this.SUBRULE2(this.Expr)
    })
  })

  Log = this.RULE('Log', () => {
    this.CONSUME(t.word.log)
    this.SUBRULE(this.Target)
    this.OPTION(() => {
      this.CONSUME(t.Equals)
      this.SUBRULE(this.Expr, { LABEL: 'value' })
    })
    this.OPTION2(() => {
      this.CONSUME(t.word.over)
      this.SUBRULE2(this.Expr, { LABEL: 'weight' })
    })
    this.MANY(() =>
      this.OR([
        {
          ALT: () => {
            this.CONSUME(t.word.on)
            this.CONSUME(t.Name)
          },
        },
        { ALT: () => this.CONSUME(t.word.bar) },
      ]),
    )
  })

  Stop = this.RULE('Stop', () => {
    this.CONSUME(t.word.stop)
    this.OPTION(() => this.CONSUME(t.StringToken))
  })

  Print = this.RULE('Print', () => {
    this.CONSUME(t.word.print)
    this.CONSUME(t.StringToken)
  })

  Debug = this.RULE('Debug', () => {
    this.CONSUME(t.word.debug)
    this.SUBRULE(this.Expr)
  })

  Checkpoint = this.RULE('Checkpoint', () => {
    this.CONSUME(t.word.checkpoint)
    this.CONSUME(t.StringToken)
  })

  Freeze = this.RULE('Freeze', () => {
    this.CONSUME(t.word.freeze)
    this.SUBRULE(this.Glob)
  })

  Unfreeze = this.RULE('Unfreeze', () => {
    this.CONSUME(t.word.unfreeze)
    this.SUBRULE(this.Glob)
  })

  Call = this.RULE('Call', () => {
    this.CONSUME(t.word.call)
    this.CONSUME(t.Name)
    this.SUBRULE(this.Args)
  })
}
