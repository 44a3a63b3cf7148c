import { DefinitionParser } from './definitions.ts'
import { SyntaxMessages } from './messages.ts'
import * as t from './tokens.ts'
import type { Alternatives } from './types.ts'

/**
 * The grammar of ltm: one rule per construct, in the order of the language reference.
 *
 * It stops at the first error; src/syntax/recovery repairs the tokens and parses again, so a tree that it returns is
 * always whole.
 */
export class LtmParser extends DefinitionParser {
  /** `skipValidations` leaves out the checks of the grammar itself: only the tests need them. */
  constructor(skipValidations = true) {
    super(new SyntaxMessages(), skipValidations)
    this.performSelfAnalysis()
  }

  /** Gives the parser its tokens and forgets all about earlier ones. */
  start(tokens: readonly t.Token[]): void {
    this.open.length = 0
    this.resetDepth()
    this.input = [...tokens]
  }

  // ── Declarations ──────────────────────────────────────────────────────────────────────────────────────────────────

  File = this.RULE('File', () => {
    this.MANY(() => this.SUBRULE(this.Declaration))
  })

  Declaration = this.RULE('Declaration', () => {
    this.begin('file')
    this.OR([
      { ALT: () => this.SUBRULE(this.Import) },
      { ALT: () => this.SUBRULE(this.Const) },
      { ALT: () => this.SUBRULE(this.Fn) },
      { ALT: () => this.SUBRULE(this.Loss) },
      { ALT: () => this.SUBRULE(this.Schedule) },
      { ALT: () => this.SUBRULE(this.Constraint) },
      { ALT: () => this.SUBRULE(this.Module) },
      { ALT: () => this.SUBRULE(this.Metric) },
      { ALT: () => this.SUBRULE(this.Optimizer) },
      { ALT: () => this.SUBRULE(this.Dataset) },
      { ALT: () => this.SUBRULE(this.Train) },
    ])
    this.end()
  })

  Import = this.RULE('Import', () => {
    this.CONSUME(t.word.import)
    this.SUBRULE(this.BracedNames)
    this.CONSUME(t.word.from)
    this.CONSUME(t.StringToken)
  })

  Const = this.RULE('Const', () => {
    this.CONSUME(t.word.const)
    this.CONSUME(t.Name)
    this.OPTION(() => {
      this.CONSUME(t.Colon)
      this.SUBRULE(this.Type)
    })
    this.CONSUME(t.Equals)
    this.SUBRULE(this.Expr)
  })

  // ── Training ──────────────────────────────────────────────────────────────────────────────────────────────────────

  Train = this.RULE('Train', () => {
    this.CONSUME(t.word.train)
    this.CONSUME(t.Name)
    this.SUBRULE(this.TrainBody)
  })

  TrainBody = this.RULE('TrainBody', () => {
    this.CONSUME(t.LBrace)
    this.MANY(() => this.SUBRULE(this.TrainMember))
    this.CONSUME(t.RBrace)
  })

  private readonly trainMembers: Alternatives = [
    { ALT: () => this.SUBRULE(this.Hyper) },
    { ALT: () => this.SUBRULE(this.Part) },
    { ALT: () => this.SUBRULE(this.Model) },
    { ALT: () => this.SUBRULE(this.Param) },
    { ALT: () => this.SUBRULE(this.Let) },
    { ALT: () => this.SUBRULE(this.Var) },
    { ALT: () => this.SUBRULE(this.Fn) },
    { ALT: () => this.SUBRULE(this.Freeze) },
    { ALT: () => this.SUBRULE(this.Step) },
    { ALT: () => this.SUBRULE(this.Hook) },
    { ALT: () => this.SUBRULE(this.Trainer) },
  ]
  TrainMember = this.RULE('TrainMember', () => {
    this.begin('train')
    this.OR(this.trainMembers)
    this.end()
  })

  Hyper = this.RULE('Hyper', () => {
    this.CONSUME(t.word.hyper)
    this.CONSUME(t.Name)
    this.CONSUME(t.Colon)
    this.SUBRULE(this.Type)
    this.OPTION(() => {
      this.CONSUME(t.word.in)
      this.SUBRULE(this.Ref)
    })
    this.CONSUME(t.Equals)
    this.SUBRULE(this.Expr)
  })

  Part = this.RULE('Part', () => {
    this.OR([
      { ALT: () => this.CONSUME(t.word.data) },
      { ALT: () => this.CONSUME(t.word.optimizer) },
      { ALT: () => this.CONSUME(t.word.metric) },
      { ALT: () => this.CONSUME(t.word.average) },
    ])
    this.CONSUME(t.Name)
    this.CONSUME(t.Equals)
    this.SUBRULE(this.Expr)
  })

  Model = this.RULE('Model', () => {
    this.CONSUME(t.word.model)
    this.CONSUME(t.Name)
    this.CONSUME(t.Equals)
    this.SUBRULE(this.Expr)
    this.OPTION(() => {
      this.CONSUME(t.word.from)
      this.SUBRULE(this.Ref)
    })
    this.OPTION2(() => this.CONSUME(t.word.frozen))
  })

  Step = this.RULE('Step', () => {
    this.CONSUME(t.word.step)
    this.CONSUME(t.Phase)
    this.MANY(() => {
      this.CONSUME(t.Comma)
      this.CONSUME2(t.Phase)
    })
    this.OPTION(() => this.CONSUME(t.Name))
    this.SUBRULE(this.Streams)
    this.SUBRULE(this.Block)
  })

  Streams = this.RULE('Streams', () => {
    this.CONSUME(t.LParen)
    this.OPTION(() => {
      this.SUBRULE(this.Stream)
      this.MANY(() => {
        this.CONSUME(t.Comma)
        this.SUBRULE2(this.Stream)
      })
      this.OPTION2(() => this.CONSUME2(t.Comma))
    })
    this.CONSUME(t.RParen)
  })

  Stream = this.RULE('Stream', () => {
    this.CONSUME(t.Name)
    this.OPTION(() => {
      this.CONSUME(t.word.from)
      this.SUBRULE(this.Path)
      this.OPTION2(() => this.CONSUME(t.word.cycle))
    })
  })

  Hook = this.RULE('Hook', () => {
    this.CONSUME(t.word.on)
    this.OR([{ ALT: () => this.SUBRULE(this.HookCadence) }, { ALT: () => this.SUBRULE(this.HookEvent) }])
    this.OPTION(() => {
      this.CONSUME(t.word.if)
      this.SUBRULE(this.Expr)
    })
    this.SUBRULE(this.Block)
  })

  HookCadence = this.RULE('HookCadence', () => {
    this.CONSUME(t.word.every)
    this.OR([
      { ALT: () => this.CONSUME(t.NumberToken) },
      { ALT: () => this.CONSUME(t.Name, { LABEL: 'count' }) },
    ])
    this.CONSUME(t.Unit)
    this.OPTION(() => {
      this.CONSUME(t.word.of)
      this.CONSUME2(t.Name, { LABEL: 'optimizer' })
    })
  })

  HookEvent = this.RULE('HookEvent', () => {
    this.CONSUME(t.Name)
    this.OPTION(() => {
      this.CONSUME(t.LParen)
      this.OPTION2(() => {
        this.CONSUME2(t.Name, { LABEL: 'payload' })
        this.MANY(() => {
          this.CONSUME(t.Comma)
          this.CONSUME3(t.Name, { LABEL: 'payload' })
        })
        this.OPTION3(() => this.CONSUME2(t.Comma))
      })
      this.CONSUME(t.RParen)
    })
  })

  Trainer = this.RULE('Trainer', () => {
    this.CONSUME(t.word.trainer)
    this.SUBRULE(this.Record)
  })
}

let parser: LtmParser | undefined

/** The parser, made on first use: making it costs more than parsing a program. */
export function theParser(): LtmParser {
  parser ??= new LtmParser()
  return parser
}
