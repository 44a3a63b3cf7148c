import type { CstNode } from '../../../grammar/tokens.ts'
import { bug } from '../../base/bug.ts'
import type {
  Buffer,
  Constraint,
  ConstraintMember,
  Dataset,
  DatasetMember,
  Field,
  Fit,
  Fn,
  MemberIf,
  Method,
  Metric,
  Module,
  ModuleMember,
  Optimizer,
  Param,
  Property,
  Require,
  Slot,
  State,
} from '../ast.ts'
import {
  base,
  type Context,
  choice,
  documented,
  maybe,
  maybeToken,
  name,
  nameOf,
  node,
  nodes,
  token,
} from './cst.ts'
import { buildExpr, buildPath, buildRef } from './expressions.ts'
import { numberValue } from './literals.ts'
import { buildBody, buildLet } from './statements.ts'
import { buildFormals, buildSignature, buildType, buildWhere } from './types.ts'

const value = (cst: CstNode, ctx: Context) => buildExpr(node(cst, 'Expr'), ctx)
const typeOf = (cst: CstNode, ctx: Context) => buildType(node(cst, 'Type'), ctx)
const signature = (cst: CstNode, ctx: Context) => buildSignature(node(cst, 'Signature'), ctx)
const inner = (cst: CstNode) => choice(cst) ?? bug(`${cst.name} without alternatives`)

/** What `fn`, `loss` and `schedule` have in common. */
export const functionParts = (cst: CstNode, ctx: Context) => ({
  ...documented(cst, ctx),
  name: name(cst, ctx),
  signature: signature(cst, ctx),
  body: buildBody(node(cst, 'Body'), ctx),
})

/** `fn`, as a declaration or a member. */
export function buildFn(cst: CstNode, ctx: Context): Fn {
  return { kind: 'Fn', ...functionParts(cst, ctx) }
}

function buildMethod(cst: CstNode, ctx: Context): Method {
  return {
    kind: 'Method',
    ...documented(cst, ctx),
    role: token(cst, 'role').image as Method['role'], // the rules take exactly these words
    signature: signature(cst, ctx),
    body: buildBody(node(cst, 'Body'), ctx),
  }
}

/** `constraint simplex(k: int) bijective version 1 { … }` */
export function buildConstraint(cst: CstNode, ctx: Context): Constraint {
  return {
    kind: 'Constraint',
    ...documented(cst, ctx),
    path: buildPath(node(cst, 'Path'), ctx),
    signature: signature(cst, ctx),
    bijective: maybeToken(cst, 'bijective') !== undefined,
    version: numberValue(token(cst, 'NumberToken')),
    members: nodes(node(cst, 'ConstraintBody'), 'ConstraintMember').map(each =>
      buildConstraintMember(inner(each), ctx),
    ),
  }
}

function buildConstraintMember(cst: CstNode, ctx: Context): ConstraintMember {
  switch (cst.name) {
    case 'Require':
      return buildRequire(cst, ctx)
    case 'Raw':
      return { kind: 'Raw', ...base(cst, ctx), type: typeOf(cst, ctx) }
    case 'Buffer':
      return buildBuffer(cst, ctx)
    default:
      return buildMethod(cst, ctx)
  }
}

function buildRequire(cst: CstNode, ctx: Context): Require {
  return { kind: 'Require', ...base(cst, ctx), condition: value(cst, ctx) }
}

/** `module Name(…) { … }` */
export function buildModule(cst: CstNode, ctx: Context): Module {
  return {
    kind: 'Module',
    ...documented(cst, ctx),
    name: name(cst, ctx),
    signature: signature(cst, ctx),
    members: buildModuleBody(node(cst, 'ModuleBody'), ctx),
  }
}

function buildModuleBody(cst: CstNode, ctx: Context): readonly ModuleMember[] {
  return nodes(cst, 'ModuleMember').map(each => buildModuleMember(inner(each), ctx))
}

function buildModuleMember(cst: CstNode, ctx: Context): ModuleMember {
  switch (cst.name) {
    case 'Param':
      return buildParam(cst, ctx)
    case 'Buffer':
      return buildBuffer(cst, ctx)
    case 'Layer':
      return { kind: 'Layer', ...documented(cst, ctx), name: name(cst, ctx), value: value(cst, ctx) }
    case 'Let':
      return buildLet(cst, ctx)
    case 'Require':
      return buildRequire(cst, ctx)
    case 'Fn':
      return buildFn(cst, ctx)
    case 'MemberIf':
      return buildMemberIf(cst, ctx)
    default:
      return buildMethod(cst, ctx)
  }
}

/** `param w: T in C = v project P`; also a member of `train`. */
export function buildParam(cst: CstNode, ctx: Context): Param {
  const constraint = maybe(cst, 'Ref')
  const start = maybe(cst, 'Expr')
  const project = maybe(cst, 'projection')
  return {
    kind: 'Param',
    ...documented(cst, ctx),
    name: name(cst, ctx),
    type: typeOf(cst, ctx),
    constraint: constraint && buildRef(constraint, ctx),
    value: start && buildExpr(start, ctx),
    rawValue: maybeToken(cst, 'raw') !== undefined,
    project: project && buildRef(project, ctx),
  }
}

function buildBuffer(cst: CstNode, ctx: Context): Buffer {
  return {
    kind: 'Buffer',
    ...documented(cst, ctx),
    name: name(cst, ctx),
    type: typeOf(cst, ctx),
    value: value(cst, ctx),
  }
}

function buildMemberIf(cst: CstNode, ctx: Context): MemberIf {
  const block = maybe(cst, 'otherwise')
  const chained = maybe(cst, 'MemberIf')
  return {
    kind: 'MemberIf',
    ...base(cst, ctx),
    condition: value(cst, ctx),
    then: buildModuleBody(node(cst, 'then'), ctx),
    otherwise: block ? buildModuleBody(block, ctx) : chained ? [buildMemberIf(chained, ctx)] : [],
  }
}

/** `metric Name(…) { … }` */
export function buildMetric(cst: CstNode, ctx: Context): Metric {
  return {
    kind: 'Metric',
    ...documented(cst, ctx),
    name: name(cst, ctx),
    signature: signature(cst, ctx),
    members: nodes(node(cst, 'MetricBody'), 'MetricMember').map(each => {
      const member = inner(each)
      if (member.name === 'Require') return buildRequire(member, ctx)
      return member.name === 'State' ? buildState(member, ctx) : buildMethod(member, ctx)
    }),
  }
}

function buildState(cst: CstNode, ctx: Context): State {
  const merge = maybeToken(cst, 'how')
  return {
    kind: 'State',
    ...documented(cst, ctx),
    name: name(cst, ctx),
    type: typeOf(cst, ctx),
    value: value(cst, ctx),
    merge: merge && nameOf(merge, ctx),
  }
}

/** `optimizer Name(…) { … }` */
export function buildOptimizer(cst: CstNode, ctx: Context): Optimizer {
  return {
    kind: 'Optimizer',
    ...documented(cst, ctx),
    name: name(cst, ctx),
    signature: signature(cst, ctx),
    members: nodes(node(cst, 'OptimizerBody'), 'OptimizerPart').map(each => {
      const member = inner(each)
      if (member.name === 'Require') return buildRequire(member, ctx)
      return member.name === 'Slot' ? buildSlot(member, ctx) : buildMethod(member, ctx)
    }),
  }
}

function buildSlot(cst: CstNode, ctx: Context): Slot {
  return {
    kind: 'Slot',
    ...documented(cst, ctx),
    name: name(cst, ctx),
    type: typeOf(cst, ctx),
    value: value(cst, ctx),
  }
}

/** `dataset Name from csv("x.csv") { … }` */
export function buildDataset(cst: CstNode, ctx: Context): Dataset {
  const formals = maybe(cst, 'Formals')
  return {
    kind: 'Dataset',
    ...documented(cst, ctx),
    name: name(cst, ctx),
    formals: formals ? buildFormals(formals, ctx) : [],
    source: buildRef(node(cst, 'Ref'), ctx),
    members: nodes(node(cst, 'DatasetBody'), 'DatasetMember').map(each =>
      buildDatasetMember(inner(each), ctx),
    ),
  }
}

function buildDatasetMember(cst: CstNode, ctx: Context): DatasetMember {
  switch (cst.name) {
    case 'Field':
      return buildField(cst, ctx)
    case 'Augment':
      return { kind: 'Augment', ...documented(cst, ctx), name: name(cst, ctx), value: value(cst, ctx) }
    case 'Filter':
      return { kind: 'Filter', ...base(cst, ctx), condition: value(cst, ctx) }
    default:
      return {
        kind: 'Split',
        ...base(cst, ctx),
        parts: nodes(cst, 'SplitPart').map(part => buildProperty(part, ctx)),
      }
  }
}

function buildField(cst: CstNode, ctx: Context): Field | Fit {
  const where = maybe(cst, 'Where')
  const pad = maybe(cst, 'padding')
  return {
    kind: maybeToken(cst, 'fit') ? 'Fit' : 'Field',
    ...documented(cst, ctx),
    name: name(cst, ctx),
    type: typeOf(cst, ctx),
    value: value(cst, ctx),
    where: where ? buildWhere(where, ctx) : [],
    pad: pad && buildExpr(pad, ctx),
  }
}

function buildProperty(cst: CstNode, ctx: Context): Property {
  return { kind: 'Property', ...base(cst, ctx), key: name(cst, ctx, 'AnyWord'), value: value(cst, ctx) }
}
