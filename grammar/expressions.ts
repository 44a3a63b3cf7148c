import * as t from './tokens.ts'
import { type Alternatives, type Rule, TypeParser } from './types.ts'

/** The rules of expressions and patterns. */
export abstract class ExpressionParser extends TypeParser {
  protected abstract readonly Block: Rule

  // ── Expressions, loosest first ────────────────────────────────────────────────────────────────────────────────────

  private readonly expressions: Alternatives = [
    { ALT: () => this.SUBRULE(this.Conditional) },
    { ALT: () => this.SUBRULE(this.Lambda) },
    { ALT: () => this.SUBRULE(this.For) },
    {
      ALT: () => {
        this.SUBRULE(this.Pipe)
        this.OPTION(() => {
          this.CONSUME(t.DotDot)
          this.SUBRULE2(this.Pipe)
        })
      },
    },
  ]
  /** A range is read here and not by a rule of its own: each rule costs its call, and most expressions are none. */
  Expr = this.RULE('Expr', () => {
    this.deeper()
    this.OR(this.expressions)
    this.shallower()
  })

  Conditional = this.RULE('Conditional', () => {
    this.CONSUME(t.word.if)
    this.SUBRULE(this.Expr)
    this.CONSUME(t.word.then)
    this.SUBRULE2(this.Expr)
    this.CONSUME(t.word.else)
    this.SUBRULE3(this.Expr)
  })

  Lambda = this.RULE('Lambda', () => {
    this.CONSUME(t.word.fn)
    this.SUBRULE(this.Formals)
    this.CONSUME(t.Equals)
    this.SUBRULE(this.Expr)
  })

  For = this.RULE('For', () => {
    this.SUBRULE(this.ForHead)
    this.SUBRULE(this.Block)
  })

  ForHead = this.RULE('ForHead', () => {
    this.CONSUME(t.word.for)
    this.CONSUME(t.Name)
    this.MANY(() => {
      this.CONSUME(t.Comma)
      this.CONSUME2(t.Name)
    })
    this.CONSUME(t.word.in)
    this.SUBRULE(this.Expr)
  })

  /** All operators on one level: precedence is applied when the tree is built, which keeps parsing flat and quick. */
  Pipe = this.RULE('Pipe', () => {
    this.SUBRULE(this.Operand)
    this.MANY(() => {
      this.CONSUME(t.Operator)
      this.SUBRULE2(this.Operand)
    })
    this.MANY2(() => this.SUBRULE(this.PipeStep))
  })

  private readonly pipeSteps: Alternatives = [
    {
      ALT: () => {
        this.CONSUME(t.PipeInto)
        this.SUBRULE(this.Stage)
      },
    },
    {
      ALT: () => {
        this.CONSUME(t.Cast)
        this.SUBRULE(this.Type)
      },
    },
  ]
  PipeStep = this.RULE('PipeStep', () => {
    this.OR(this.pipeSteps)
  })

  private readonly stages: Alternatives = [
    { ALT: () => this.SUBRULE(this.PatternStage) },
    { ALT: () => this.SUBRULE(this.Target) },
  ]
  Stage = this.RULE('Stage', () => {
    this.OR(this.stages)
  })

  PatternStage = this.RULE('PatternStage', () => {
    this.OR([
      { ALT: () => this.CONSUME(t.word.rearrange, { LABEL: 'operation' }) },
      { ALT: () => this.CONSUME(t.word.reduce, { LABEL: 'operation' }) },
    ])
    this.CONSUME(t.LParen)
    this.SUBRULE(this.PatternBody)
    this.MANY(() => {
      this.CONSUME(t.Comma)
      this.SUBRULE(this.Arg)
    })
    this.OPTION(() => this.CONSUME2(t.Comma))
    this.CONSUME(t.RParen)
  })

  Target = this.RULE('Target', () => {
    this.CONSUME(t.Name)
    this.MANY(() => this.SUBRULE(this.Trailer))
  })

  private readonly trailers: Alternatives = [
    { ALT: () => this.SUBRULE(this.Args) },
    {
      ALT: () => {
        this.CONSUME(t.Dot)
        this.CONSUME(t.AnyWord)
      },
    },
    { ALT: () => this.SUBRULE(this.IndexItems) },
  ]
  Trailer = this.RULE('Trailer', () => {
    this.OR(this.trailers)
  })

  IndexItems = this.RULE('IndexItems', () => {
    this.deeper()
    this.CONSUME(t.LBracket)
    this.SUBRULE(this.IndexItem)
    this.MANY(() => {
      this.CONSUME(t.Comma)
      this.SUBRULE2(this.IndexItem)
    })
    this.OPTION(() => this.CONSUME2(t.Comma))
    this.CONSUME(t.RBracket)
    this.shallower()
  })

  private readonly indexItems: Alternatives = [
    { ALT: () => this.CONSUME(t.Ellipsis) },
    { ALT: () => this.CONSUME(t.Underscore) },
    {
      ALT: () => {
        this.CONSUME(t.DotDot)
        this.OPTION(() => this.SUBRULE(this.Pipe, { LABEL: 'to' }))
      },
    },
    {
      ALT: () => {
        this.SUBRULE2(this.Pipe, { LABEL: 'from' })
        this.OPTION2(() => {
          this.CONSUME2(t.DotDot)
          this.OPTION3(() => this.SUBRULE3(this.Pipe, { LABEL: 'to' }))
        })
      },
    },
  ]
  IndexItem = this.RULE('IndexItem', () => {
    this.OR(this.indexItems)
  })

  private readonly primaries: Alternatives = [
    { ALT: () => this.SUBRULE(this.Quantity) },
    { ALT: () => this.CONSUME(t.StringToken) },
    { ALT: () => this.CONSUME(t.word.true) },
    { ALT: () => this.CONSUME(t.word.false) },
    { ALT: () => this.CONSUME(t.Name) },
    { ALT: () => this.SUBRULE(this.Group) },
    { ALT: () => this.SUBRULE(this.Record) },
    { ALT: () => this.SUBRULE(this.List) },
    { ALT: () => this.SUBRULE(this.PatternCall) },
  ]
  Operand = this.RULE('Operand', () => {
    this.MANY(() => this.CONSUME(t.Prefix))
    this.OR(this.primaries)
    this.MANY2(() => this.SUBRULE(this.Trailer))
  })

  Quantity = this.RULE('Quantity', () => {
    this.CONSUME(t.NumberToken)
    this.OPTION(() => this.CONSUME(t.Unit))
    // Without a unit it counts what its place counts: `updates: 500 of g`.
    this.OPTION2(() => {
      this.CONSUME(t.word.of)
      this.CONSUME(t.Name)
    })
  })

  Group = this.RULE('Group', () => {
    this.CONSUME(t.LParen)
    this.SUBRULE(this.Expr)
    this.CONSUME(t.RParen)
  })

  Record = this.RULE('Record', () => {
    this.CONSUME(t.LBrace)
    this.OPTION(() => {
      this.SUBRULE(this.RecordField)
      this.MANY(() => {
        this.CONSUME(t.Comma)
        this.SUBRULE2(this.RecordField)
      })
      this.OPTION2(() => this.CONSUME2(t.Comma))
    })
    this.CONSUME(t.RBrace)
  })

  private readonly fieldNames: Alternatives = [
    { ALT: () => this.CONSUME(t.AnyWord) },
    { ALT: () => this.CONSUME(t.StringToken) },
  ]
  RecordField = this.RULE('RecordField', () => {
    this.OR(this.fieldNames)
    this.OPTION(() => {
      this.CONSUME(t.Colon)
      this.SUBRULE(this.Expr)
    })
  })

  List = this.RULE('List', () => {
    this.CONSUME(t.LBracket)
    this.OPTION(() => {
      this.SUBRULE(this.Expr)
      this.OR([
        { ALT: () => this.SUBRULE(this.ForHead) },
        {
          ALT: () => {
            this.MANY(() => {
              this.CONSUME(t.Comma)
              this.SUBRULE2(this.Expr)
            })
            this.OPTION2(() => this.CONSUME2(t.Comma))
          },
        },
      ])
    })
    this.CONSUME(t.RBracket)
  })

  Args = this.RULE('Args', () => {
    this.CONSUME(t.LParen)
    this.OPTION(() => {
      this.SUBRULE(this.Arg)
      this.MANY(() => {
        this.CONSUME(t.Comma)
        this.SUBRULE2(this.Arg)
      })
      this.OPTION2(() => this.CONSUME2(t.Comma))
    })
    this.CONSUME(t.RParen)
  })

  private readonly argForms: Alternatives = [
    { ALT: () => this.SUBRULE(this.Except) },
    {
      ALT: () => {
        this.CONSUME(t.AnyWord)
        this.CONSUME(t.Colon)
        this.SUBRULE(this.Expr)
      },
    },
    { ALT: () => this.SUBRULE2(this.Expr) },
  ]
  Arg = this.RULE('Arg', () => {
    this.OR(this.argForms)
  })

  Except = this.RULE('Except', () => {
    this.CONSUME(t.word.except)
    this.SUBRULE(this.Glob)
    this.CONSUME(t.Colon)
    this.SUBRULE(this.Expr)
    this.OPTION(() => this.SUBRULE(this.ForHead))
  })

  Glob = this.RULE('Glob', () => {
    this.CONSUME(t.Name)
    this.MANY(() => this.SUBRULE(this.GlobSegment))
  })

  GlobSegment = this.RULE('GlobSegment', () => {
    this.OR([
      {
        ALT: () => {
          this.CONSUME(t.Dot)
          this.OR2([
            {
              ALT: () => {
                this.CONSUME(t.Star)
                this.OPTION(() => this.CONSUME2(t.Star))
              },
            },
            {
              ALT: () => {
                this.CONSUME(t.AnyWord)
                this.OPTION2(() => this.CONSUME3(t.Star))
              },
            },
          ])
        },
      },
      {
        ALT: () => {
          this.CONSUME(t.LBracket)
          this.OR3([{ ALT: () => this.CONSUME4(t.Star) }, { ALT: () => this.SUBRULE(this.Expr) }])
          this.CONSUME(t.RBracket)
        },
      },
    ])
  })

  // ── Patterns ──────────────────────────────────────────────────────────────────────────────────────────────────────

  PatternCall = this.RULE('PatternCall', () => {
    this.OR([
      { ALT: () => this.CONSUME(t.word.rearrange, { LABEL: 'operation' }) },
      { ALT: () => this.CONSUME(t.word.reduce, { LABEL: 'operation' }) },
      { ALT: () => this.CONSUME(t.word.einsum, { LABEL: 'operation' }) },
    ])
    this.CONSUME(t.LParen)
    this.SUBRULE(this.Expr)
    this.MANY(() => {
      this.CONSUME(t.Comma)
      this.SUBRULE2(this.Expr)
    })
    this.CONSUME(t.Colon)
    this.SUBRULE(this.PatternBody)
    this.MANY2(() => {
      this.CONSUME2(t.Comma)
      this.SUBRULE(this.Arg)
    })
    this.OPTION(() => this.CONSUME3(t.Comma))
    this.CONSUME(t.RParen)
  })

  PatternBody = this.RULE('PatternBody', () => {
    this.SUBRULE(this.Axes)
    this.MANY(() => {
      this.CONSUME(t.Comma)
      this.SUBRULE2(this.Axes)
    })
    this.CONSUME(t.Arrow)
    this.SUBRULE3(this.Axes, { LABEL: 'output' })
  })

  Axes = this.RULE('Axes', () => {
    this.MANY(() => this.SUBRULE(this.Axis))
  })

  Axis = this.RULE('Axis', () => {
    this.OR([
      { ALT: () => this.CONSUME(t.Name) },
      { ALT: () => this.CONSUME(t.NumberToken) },
      { ALT: () => this.CONSUME(t.Underscore) },
      { ALT: () => this.CONSUME(t.Ellipsis) },
      {
        ALT: () => {
          this.CONSUME(t.LParen)
          this.AT_LEAST_ONE(() => this.SUBRULE(this.GroupedAxis))
          this.CONSUME(t.RParen)
        },
      },
    ])
  })

  GroupedAxis = this.RULE('GroupedAxis', () => {
    this.OR([
      { ALT: () => this.CONSUME(t.Name) },
      { ALT: () => this.CONSUME(t.NumberToken) },
      { ALT: () => this.CONSUME(t.Ellipsis) },
    ])
  })
}
