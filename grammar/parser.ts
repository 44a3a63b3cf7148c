import type { TokenType } from 'chevrotain'
import { type Alternatives, ExpressionParser } from './expressions.ts'
import { SyntaxMessages } from './messages.ts'
import * as t from './tokens.ts'

/** Where a declaration, member or statement begins, and in which kind of list it stands. */
export interface OpenItem {
  readonly place: t.Place
  readonly token: t.Token
}

/**
 * The grammar of ltm: one rule per construct, in the order of the language reference.
 *
 * It stops at the first error; src/syntax/recovery repairs the tokens and parses again, so a tree that it returns is
 * always whole.
 */
export class LtmParser extends ExpressionParser {
  /** The items that were open where parsing stopped, outermost first. */
  readonly open: OpenItem[] = []

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

  private begin(place: t.Place): void {
    this.ACTION(() => {
      this.open.push({ place, token: this.LA(1) })
    })
  }
  private end(): void {
    this.ACTION(() => {
      this.open.pop()
    })
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

  Fn = this.functionRule('Fn', t.word.fn)
  Loss = this.functionRule('Loss', t.word.loss)
  Schedule = this.functionRule('Schedule', t.word.schedule)

  private functionRule(name: string, start: TokenType) {
    return this.RULE(name, () => {
      this.CONSUME(start)
      this.CONSUME(t.Name)
      this.SUBRULE(this.Signature)
      this.SUBRULE(this.Body)
    })
  }

  private methodRule(name: string, role: TokenType) {
    return this.RULE(name, () => {
      this.CONSUME(role, { LABEL: 'role' })
      this.SUBRULE(this.Signature)
      this.SUBRULE(this.Body)
    })
  }

  Signature = this.RULE('Signature', () => {
    this.SUBRULE(this.Formals)
    this.OPTION(() => {
      this.CONSUME(t.Arrow)
      this.SUBRULE(this.Type)
    })
    this.OPTION2(() => this.SUBRULE(this.Where))
  })

  Where = this.RULE('Where', () => {
    this.CONSUME(t.word.where)
    this.SUBRULE(this.Expr)
    this.MANY(() => {
      this.CONSUME(t.Comma)
      this.SUBRULE2(this.Expr)
    })
  })

  private readonly bodies: Alternatives = [
    {
      ALT: () => {
        this.CONSUME(t.Equals)
        this.SUBRULE(this.Expr)
      },
    },
    { ALT: () => this.SUBRULE(this.Block) },
  ]
  Body = this.RULE('Body', () => {
    this.OR(this.bodies)
  })

  Path = this.RULE('Path', () => {
    this.CONSUME(t.Name)
    this.MANY(() => {
      this.CONSUME(t.Dot)
      this.CONSUME(t.AnyWord)
    })
  })

  Ref = this.RULE('Ref', () => {
    this.SUBRULE(this.Path)
    this.OPTION(() => this.SUBRULE(this.Args))
  })

  // ── Constraints ───────────────────────────────────────────────────────────────────────────────────────────────────

  Constraint = this.RULE('Constraint', () => {
    this.CONSUME(t.word.constraint)
    this.SUBRULE(this.Path)
    this.SUBRULE(this.Signature)
    this.OPTION(() => this.CONSUME(t.word.bijective))
    this.CONSUME(t.word.version)
    this.CONSUME(t.NumberToken)
    this.SUBRULE(this.ConstraintBody)
  })

  ConstraintBody = this.RULE('ConstraintBody', () => {
    this.CONSUME(t.LBrace)
    this.MANY(() => this.SUBRULE(this.ConstraintMember))
    this.CONSUME(t.RBrace)
  })

  ConstraintMember = this.RULE('ConstraintMember', () => {
    this.begin('constraint')
    this.OR([
      { ALT: () => this.SUBRULE(this.Require) },
      { ALT: () => this.SUBRULE(this.Raw) },
      { ALT: () => this.SUBRULE(this.Buffer) },
      { ALT: () => this.SUBRULE(this.ConstraintMethod) },
    ])
    this.end()
  })

  ConstraintMethod = this.methodRule('ConstraintMethod', t.ConstraintRole)

  Require = this.RULE('Require', () => {
    this.CONSUME(t.word.require)
    this.SUBRULE(this.Expr)
  })

  Raw = this.RULE('Raw', () => {
    this.CONSUME(t.word.raw)
    this.CONSUME(t.Colon)
    this.SUBRULE(this.Type)
  })

  // ── Modules ───────────────────────────────────────────────────────────────────────────────────────────────────────

  Module = this.RULE('Module', () => {
    this.CONSUME(t.word.module)
    this.CONSUME(t.Name)
    this.SUBRULE(this.Signature)
    this.SUBRULE(this.ModuleBody)
  })

  ModuleBody = this.RULE('ModuleBody', () => {
    this.CONSUME(t.LBrace)
    this.deeper()
    this.MANY(() => this.SUBRULE(this.ModuleMember))
    this.shallower()
    this.CONSUME(t.RBrace)
  })

  private readonly moduleMembers: Alternatives = [
    { ALT: () => this.SUBRULE(this.Param) },
    { ALT: () => this.SUBRULE(this.Buffer) },
    { ALT: () => this.SUBRULE(this.Layer) },
    { ALT: () => this.SUBRULE(this.Let) },
    { ALT: () => this.SUBRULE(this.Require) },
    { ALT: () => this.SUBRULE(this.Fn) },
    { ALT: () => this.SUBRULE(this.ModuleMethod) },
    { ALT: () => this.SUBRULE(this.MemberIf) },
  ]
  ModuleMember = this.RULE('ModuleMember', () => {
    this.begin('module')
    this.OR(this.moduleMembers)
    this.end()
  })

  ModuleMethod = this.methodRule('ModuleMethod', t.word.forward)

  Param = this.RULE('Param', () => {
    this.CONSUME(t.word.param)
    this.CONSUME(t.Name)
    this.CONSUME(t.Colon)
    this.SUBRULE(this.Type)
    this.OPTION(() => {
      this.CONSUME(t.word.in)
      this.SUBRULE(this.Ref)
    })
    this.OPTION2(() => {
      this.CONSUME(t.Equals)
      // One token decides: after `=`, `raw` is always the marker (F28).
      this.OPTION3({ MAX_LOOKAHEAD: 1, DEF: () => this.CONSUME(t.word.raw) })
      this.SUBRULE(this.Expr)
    })
    this.OPTION4(() => {
      this.CONSUME(t.word.project)
      this.SUBRULE2(this.Ref, { LABEL: 'project' })
    })
  })

  Buffer = this.RULE('Buffer', () => {
    this.CONSUME(t.word.buffer)
    this.CONSUME(t.Name)
    this.CONSUME(t.Colon)
    this.SUBRULE(this.Type)
    this.CONSUME(t.Equals)
    this.SUBRULE(this.Expr)
  })

  Layer = this.RULE('Layer', () => {
    this.CONSUME(t.word.layer)
    this.CONSUME(t.Name)
    this.CONSUME(t.Equals)
    this.SUBRULE(this.Expr)
  })

  MemberIf = this.RULE('MemberIf', () => {
    this.deeper()
    this.CONSUME(t.word.if)
    this.SUBRULE(this.Expr)
    this.SUBRULE(this.ModuleBody, { LABEL: 'then' })
    this.OPTION(() => {
      this.CONSUME(t.word.else)
      this.OR([
        { ALT: () => this.SUBRULE(this.MemberIf) },
        { ALT: () => this.SUBRULE2(this.ModuleBody, { LABEL: 'otherwise' }) },
      ])
    })
    this.shallower()
  })

  // ── Metrics and optimizers ────────────────────────────────────────────────────────────────────────────────────────

  Metric = this.RULE('Metric', () => {
    this.CONSUME(t.word.metric)
    this.CONSUME(t.Name)
    this.SUBRULE(this.Signature)
    this.SUBRULE(this.MetricBody)
  })

  MetricBody = this.RULE('MetricBody', () => {
    this.CONSUME(t.LBrace)
    this.MANY(() => this.SUBRULE(this.MetricMember))
    this.CONSUME(t.RBrace)
  })

  MetricMember = this.RULE('MetricMember', () => {
    this.begin('metric')
    this.OR([{ ALT: () => this.SUBRULE(this.State) }, { ALT: () => this.SUBRULE(this.MetricMethod) }])
    this.end()
  })

  MetricMethod = this.methodRule('MetricMethod', t.MetricRole)

  State = this.RULE('State', () => {
    this.CONSUME(t.word.state)
    this.CONSUME(t.Name)
    this.CONSUME(t.Colon)
    this.SUBRULE(this.Type)
    this.CONSUME(t.Equals)
    this.SUBRULE(this.Expr)
    this.OPTION(() => {
      this.CONSUME(t.word.merge)
      this.CONSUME2(t.Name, { LABEL: 'how' })
    })
  })

  Optimizer = this.RULE('Optimizer', () => {
    this.CONSUME(t.word.optimizer)
    this.CONSUME(t.Name)
    this.SUBRULE(this.Signature)
    this.SUBRULE(this.OptimizerBody)
  })

  OptimizerBody = this.RULE('OptimizerBody', () => {
    this.CONSUME(t.LBrace)
    this.MANY(() => this.SUBRULE(this.OptimizerPart))
    this.CONSUME(t.RBrace)
  })

  OptimizerPart = this.RULE('OptimizerPart', () => {
    this.begin('optimizer')
    this.OR([{ ALT: () => this.SUBRULE(this.Slot) }, { ALT: () => this.SUBRULE(this.OptimizerMethod) }])
    this.end()
  })

  OptimizerMethod = this.methodRule('OptimizerMethod', t.word.update)

  Slot = this.RULE('Slot', () => {
    this.CONSUME(t.word.slot)
    this.CONSUME(t.Name)
    this.CONSUME(t.Colon)
    this.SUBRULE(this.Type)
    this.CONSUME(t.Equals)
    this.SUBRULE(this.Expr)
  })

  // ── Datasets ──────────────────────────────────────────────────────────────────────────────────────────────────────

  Dataset = this.RULE('Dataset', () => {
    this.CONSUME(t.word.dataset)
    this.CONSUME(t.Name)
    this.OPTION(() => this.SUBRULE(this.Formals))
    this.CONSUME(t.word.from)
    this.SUBRULE(this.Ref)
    this.SUBRULE(this.DatasetBody)
  })

  DatasetBody = this.RULE('DatasetBody', () => {
    this.CONSUME(t.LBrace)
    this.MANY(() => this.SUBRULE(this.DatasetMember))
    this.CONSUME(t.RBrace)
  })

  private readonly datasetMembers: Alternatives = [
    { ALT: () => this.SUBRULE(this.Field) },
    { ALT: () => this.SUBRULE(this.Augment) },
    { ALT: () => this.SUBRULE(this.Filter) },
    { ALT: () => this.SUBRULE(this.Split) },
  ]
  DatasetMember = this.RULE('DatasetMember', () => {
    this.begin('dataset')
    this.OR(this.datasetMembers)
    this.end()
  })

  Field = this.RULE('Field', () => {
    this.OR([{ ALT: () => this.CONSUME(t.word.field) }, { ALT: () => this.CONSUME(t.word.fit) }])
    this.CONSUME(t.Name)
    this.CONSUME(t.Colon)
    this.SUBRULE(this.Type)
    this.CONSUME(t.Equals)
    this.SUBRULE(this.Expr)
    this.OPTION(() => this.SUBRULE(this.Where))
    this.OPTION2(() => {
      this.CONSUME(t.word.pad)
      this.SUBRULE2(this.Expr, { LABEL: 'pad' })
    })
  })

  Augment = this.RULE('Augment', () => {
    this.CONSUME(t.word.augment)
    this.CONSUME(t.Name)
    this.CONSUME(t.Equals)
    this.SUBRULE(this.Expr)
  })

  Filter = this.RULE('Filter', () => {
    this.CONSUME(t.word.filter)
    this.SUBRULE(this.Expr)
  })

  Split = this.RULE('Split', () => {
    this.CONSUME(t.word.split)
    this.SUBRULE(this.SplitPart)
    this.MANY(() => {
      this.CONSUME(t.Comma)
      this.SUBRULE2(this.SplitPart)
    })
  })

  SplitPart = this.RULE('SplitPart', () => {
    this.CONSUME(t.AnyWord)
    this.CONSUME(t.Colon)
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

  // ── Statements ────────────────────────────────────────────────────────────────────────────────────────────────────

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
      this.SUBRULE2(this.Expr, { LABEL: 'over' })
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

let parser: LtmParser | undefined

/** The parser, made on first use: making it costs more than parsing a program. */
export function theParser(): LtmParser {
  parser ??= new LtmParser()
  return parser
}
