import type { TokenType } from 'chevrotain'
import { StatementParser } from './statements.ts'
import * as t from './tokens.ts'
import type { Alternatives } from './types.ts'

/** The rules of all that is defined once and used elsewhere: functions, constraints, modules, metrics, optimizers, datasets. */
export abstract class DefinitionParser extends StatementParser {
  // ── Functions ─────────────────────────────────────────────────────────────────────────────────────────────────────

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
      this.SUBRULE2(this.Ref, { LABEL: 'projection' })
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
    this.OR([
      { ALT: () => this.SUBRULE(this.State) },
      { ALT: () => this.SUBRULE(this.Require) },
      { ALT: () => this.SUBRULE(this.MetricMethod) },
    ])
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
    this.OR([
      { ALT: () => this.SUBRULE(this.Slot) },
      { ALT: () => this.SUBRULE(this.Require) },
      { ALT: () => this.SUBRULE(this.OptimizerMethod) },
    ])
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
      this.SUBRULE2(this.Expr, { LABEL: 'padding' })
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
}
