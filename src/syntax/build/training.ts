import type { CstNode } from '../../../grammar/tokens.ts'
import { bug } from '../../base/bug.ts'
import type {
  Average,
  Data,
  Hook,
  HookCadence,
  HookEvent,
  Hyper,
  MetricMember,
  Model,
  OptimizerMember,
  Phase,
  Stream,
  Train,
  TrainMember,
  TrainStep,
  WrittenUnit,
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
  names,
  node,
  nodes,
  token,
  tokensOf,
} from './cst.ts'
import { buildFn, buildParam } from './definitions.ts'
import { buildExpr, buildPath, buildRecord, buildRef } from './expressions.ts'
import { buildNumber } from './literals.ts'
import { buildBlock, buildFreeze, buildLet, buildVar } from './statements.ts'
import { buildType } from './types.ts'

/** `train Name { … }` */
export function buildTrain(cst: CstNode, ctx: Context): Train {
  return {
    kind: 'Train',
    ...documented(cst, ctx),
    name: name(cst, ctx),
    members: nodes(node(cst, 'TrainBody'), 'TrainMember').map(each => buildTrainMember(each, ctx)),
  }
}

function buildTrainMember(outer: CstNode, ctx: Context): TrainMember {
  const cst = choice(outer) ?? bug('a member without alternatives')
  switch (cst.name) {
    case 'Hyper':
      return buildHyper(cst, ctx)
    case 'Part':
      return buildPart(cst, ctx)
    case 'Model':
      return buildModel(cst, ctx)
    case 'Param':
      return buildParam(cst, ctx)
    case 'Let':
      return buildLet(cst, ctx)
    case 'Var':
      return buildVar(cst, ctx)
    case 'Fn':
      return buildFn(cst, ctx)
    case 'Freeze':
      return buildFreeze(cst, ctx)
    case 'Step':
      return buildStep(cst, ctx)
    case 'Hook':
      return buildHook(cst, ctx)
    default:
      return { kind: 'Trainer', ...documented(cst, ctx), settings: buildRecord(node(cst, 'Record'), ctx) }
  }
}

function buildHyper(cst: CstNode, ctx: Context): Hyper {
  const domain = maybe(cst, 'Ref')
  return {
    kind: 'Hyper',
    ...documented(cst, ctx),
    name: name(cst, ctx),
    type: buildType(node(cst, 'Type'), ctx),
    domain: domain && buildRef(domain, ctx),
    value: buildExpr(node(cst, 'Expr'), ctx),
  }
}

const partKinds = {
  data: 'Data',
  optimizer: 'OptimizerMember',
  metric: 'MetricMember',
  average: 'Average',
} as const

function buildPart(cst: CstNode, ctx: Context): Data | OptimizerMember | MetricMember | Average {
  const words = Object.keys(partKinds) as readonly (keyof typeof partKinds)[] // Object.keys forgets the keys
  const word = words.find(each => maybeToken(cst, each)) ?? bug('a part without its word')
  return {
    kind: partKinds[word],
    ...documented(cst, ctx),
    name: name(cst, ctx),
    value: buildExpr(node(cst, 'Expr'), ctx),
  }
}

function buildModel(cst: CstNode, ctx: Context): Model {
  const from = maybe(cst, 'Ref')
  return {
    kind: 'Model',
    ...documented(cst, ctx),
    name: name(cst, ctx),
    value: buildExpr(node(cst, 'Expr'), ctx),
    from: from && buildRef(from, ctx),
    frozen: maybeToken(cst, 'frozen') !== undefined,
  }
}

function buildStep(cst: CstNode, ctx: Context): TrainStep {
  const named = maybeToken(cst, 'Name')
  return {
    kind: 'TrainStep',
    ...documented(cst, ctx),
    phases: tokensOf(cst, 'Phase').map(phase => phase.image as Phase), // the category Phase holds exactly these
    name: named && nameOf(named, ctx),
    streams: nodes(node(cst, 'Streams'), 'Stream').map(stream => buildStream(stream, ctx)),
    body: buildBlock(node(cst, 'Block'), ctx),
  }
}

function buildStream(cst: CstNode, ctx: Context): Stream {
  const from = maybe(cst, 'Path')
  return {
    kind: 'Stream',
    ...base(cst, ctx),
    name: name(cst, ctx),
    from: from && buildPath(from, ctx),
    cycle: maybeToken(cst, 'cycle') !== undefined,
  }
}

function buildHook(cst: CstNode, ctx: Context): Hook {
  const cadence = maybe(cst, 'HookCadence')
  const condition = maybe(cst, 'Expr')
  return {
    kind: 'Hook',
    ...documented(cst, ctx),
    event: cadence ? buildCadence(cadence, ctx) : buildEvent(node(cst, 'HookEvent'), ctx),
    condition: condition && buildExpr(condition, ctx),
    body: buildBlock(node(cst, 'Block'), ctx),
  }
}

function buildEvent(cst: CstNode, ctx: Context): HookEvent {
  return { kind: 'HookEvent', ...base(cst, ctx), name: name(cst, ctx), payload: names(cst, ctx, 'payload') }
}

function buildCadence(cst: CstNode, ctx: Context): HookCadence {
  const number = maybeToken(cst, 'NumberToken')
  const of = maybeToken(cst, 'optimizer')
  return {
    kind: 'HookCadence',
    ...base(cst, ctx),
    count: number ? buildNumber(number, ctx) : name(cst, ctx, 'count'),
    unit: token(cst, 'Unit').image as WrittenUnit, // the category Unit holds exactly these
    of: of && nameOf(of, ctx),
  }
}
