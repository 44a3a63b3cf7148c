import { boundsOf, within } from '../ir/blocks.ts'
import { piecesOf } from '../ir/hostFunctions.ts'
import type {
  Attr,
  ComputedGradients,
  HostArgument,
  HostExpr,
  HostStatement,
  LossTerm,
  Message,
  Step,
} from '../ir/ir.ts'

/** New names by old names. */
export type Renaming = ReadonlyMap<string, string>

/** The parts of a host expression that have no parts themselves. */
export function leavesOf(expr: HostExpr): readonly HostExpr[] {
  if (expr.kind === 'apply') return expr.args.flatMap(leavesOf)
  if (expr.kind === 'choose') return [expr.condition, expr.then, expr.otherwise].flatMap(leavesOf)
  return [expr]
}

/** The expression with other leaves. */
export function mapLeaves(expr: HostExpr, change: (leaf: HostExpr) => HostExpr): HostExpr {
  if (expr.kind === 'apply') return { ...expr, args: expr.args.map(arg => mapLeaves(arg, change)) }
  if (expr.kind !== 'choose') return change(expr)
  const part = (each: HostExpr) => mapLeaves(each, change)
  return { ...expr, condition: part(expr.condition), then: part(expr.then), otherwise: part(expr.otherwise) }
}

/** Whether an attribute is a host expression. */
export function isHostExpr(attr: Attr): attr is HostExpr {
  return typeof attr === 'object' && !isAttrList(attr)
}

/** Whether an attribute is a list. */
export function isAttrList(attr: Attr): attr is readonly Attr[] {
  return Array.isArray(attr)
}

/** The host expressions among the attributes of a step. */
export function exprsOf(step: Step): readonly HostExpr[] {
  return Object.values(step.attrs).flatMap(exprsIn)
}

function exprsIn(attr: Attr): readonly HostExpr[] {
  if (isHostExpr(attr)) return [attr]
  return isAttrList(attr) ? attr.flatMap(exprsIn) : []
}

/** The step with other host expressions. */
export function mapExprs(step: Step, change: (expr: HostExpr) => HostExpr): Step {
  if (exprsOf(step).length === 0) return step
  const changed = (attr: Attr): Attr =>
    isHostExpr(attr) ? change(attr) : isAttrList(attr) ? attr.map(changed) : attr
  const attrs = Object.entries(step.attrs).map(([key, attr]) => [key, changed(attr)] as const)
  return { ...step, attrs: Object.fromEntries(attrs) }
}

/** The values whose numbers a host expression looks at. */
export function readsOfExpr(expr: HostExpr): readonly string[] {
  return leavesOf(expr).flatMap(leaf => (leaf.kind === 'item' ? [leaf.value] : []))
}

/** The values that a step reads. */
export function readsOfStep(step: Step): readonly string[] {
  return [...step.inputs, ...exprsOf(step).flatMap(readsOfExpr)]
}

/** The values that a statement reads, with those inside it; it may define some of them itself. */
export function readsOfStatement(statement: HostStatement): readonly string[] {
  switch (statement.kind) {
    case 'compute':
      return readsOfStep(statement.step)
    case 'minimize':
    case 'differentiate':
      return [...statement.body.flatMap(readsOfStep), ...endsOf(statement.terms)]
    case 'log':
      return [statement.value, ...maybe(statement.weight)]
    case 'log_host':
    case 'var':
    case 'set':
      return readsOfExpr(statement.value)
    case 'var_tensor':
    case 'set_tensor':
      return [statement.value]
    case 'log_metric':
      return statement.inputs
    case 'log_states':
      return statement.states
    case 'if':
      return [...readsOfExpr(statement.condition), ...within(statement).flatMap(readsOfStatement)]
    case 'for':
      return [...boundsOf(statement).flatMap(readsOfExpr), ...within(statement).flatMap(readsOfStatement)]
    case 'write':
      return [statement.value]
    case 'move':
      return readsOfGradients(statement.by)
    case 'break':
    case 'skip':
    case 'freeze':
      return []
    case 'stop':
    case 'print':
    case 'checkpoint':
      return (statement.message ?? []).flatMap(readsOfPiece)
    case 'call':
      return statement.args.flatMap(piecesOf).flatMap(readsOfPiece)
    case 'return':
      return statement.fields.map(field => field.value)
  }
}

/** The values that a `move` takes its losses and gradients from. */
function readsOfGradients(by: ComputedGradients | undefined): readonly string[] {
  if (by === undefined) return []
  return [
    ...by.terms.flatMap(({ mean, weight }) => [mean, weight]),
    ...by.gradients.flat().map(({ value }) => value),
  ]
}

function renameGradients({ apart, terms, gradients }: ComputedGradients, names: Renaming): ComputedGradients {
  const to = (name: string) => names.get(name) ?? name
  return {
    apart,
    terms: terms.map(({ mean, weight }) => ({ mean: to(mean), weight: to(weight) })),
    gradients: gradients.map(list => list.map(each => ({ ...each, value: to(each.value) }))),
  }
}

/** The losses and weights of a `minimize`. */
export function endsOf(terms: readonly LossTerm[]): readonly string[] {
  return terms.flatMap(({ loss, weight }) => [loss, ...maybe(weight)])
}

/** The terms with other names for their values. */
export function renameTerms(terms: readonly LossTerm[], names: Renaming): readonly LossTerm[] {
  const to = (name: string) => names.get(name) ?? name
  return terms.map(term => ({
    ...term,
    loss: to(term.loss),
    ...(term.weight === undefined ? {} : { weight: to(term.weight) }),
  }))
}

function maybe(name: string | undefined): readonly string[] {
  return name === undefined ? [] : [name]
}

function readsOfPiece(piece: Message[number]): readonly string[] {
  if (typeof piece === 'string') return []
  return 'expr' in piece ? readsOfExpr(piece.expr) : [piece.value]
}

/** The expression with other names for the values it looks at. */
export function renameInExpr(expr: HostExpr, names: Renaming): HostExpr {
  return mapLeaves(expr, leaf =>
    leaf.kind === 'item' ? { ...leaf, value: names.get(leaf.value) ?? leaf.value } : leaf,
  )
}

/** The step with other names for what it reads; its outputs keep theirs. */
export function renameInputs(step: Step, names: Renaming): Step {
  if (!readsOfStep(step).some(name => names.has(name))) return step
  const inputs = step.inputs.map(name => names.get(name) ?? name)
  return mapExprs({ ...step, inputs }, expr => renameInExpr(expr, names))
}

/** The step with other names for what it gives. */
export function renameOutputs(step: Step, names: Renaming): Step {
  return {
    ...step,
    outputs: step.outputs.map(value => ({ ...value, name: names.get(value.name) ?? value.name })),
  }
}

/**
 * A statement that holds no others, with other names for what it reads. `if`, `for` and `minimize` get them for what they read
 * themselves; whoever calls this goes into their lists.
 */
export function renameReads(statement: HostStatement, names: Renaming): HostStatement {
  const to = (name: string) => names.get(name) ?? name
  switch (statement.kind) {
    case 'compute':
      return { ...statement, step: renameInputs(statement.step, names) }
    case 'minimize':
    case 'differentiate':
      return { ...statement, terms: renameTerms(statement.terms, names) }
    case 'log': {
      const weight = statement.weight === undefined ? {} : { weight: to(statement.weight) }
      return { ...statement, value: to(statement.value), ...weight }
    }
    case 'log_host':
    case 'var':
    case 'set':
      return { ...statement, value: renameInExpr(statement.value, names) }
    case 'var_tensor':
    case 'set_tensor':
      return { ...statement, value: to(statement.value) }
    case 'for':
      return {
        ...statement,
        from: renameInExpr(statement.from, names),
        ...(statement.to === undefined ? {} : { to: renameInExpr(statement.to, names) }),
      }
    case 'move':
      return statement.by === undefined
        ? statement
        : { ...statement, by: renameGradients(statement.by, names) }
    case 'break':
      return statement
    case 'log_states':
      return { ...statement, states: statement.states.map(to) }
    case 'log_metric':
      return { ...statement, inputs: statement.inputs.map(to) }
    case 'if':
      return { ...statement, condition: renameInExpr(statement.condition, names) }
    case 'write':
      return { ...statement, value: to(statement.value) }
    case 'skip':
    case 'freeze':
      return statement
    case 'stop':
      return statement.message === undefined
        ? statement
        : { ...statement, message: renameMessage(statement.message, names) }
    case 'print':
    case 'checkpoint':
      return { ...statement, message: renameMessage(statement.message, names) }
    case 'call':
      return { ...statement, args: statement.args.map(arg => renameArgument(arg, names)) }
    case 'return':
      return { ...statement, fields: statement.fields.map(field => ({ ...field, value: to(field.value) })) }
  }
}

function renameMessage(message: Message, names: Renaming): Message {
  return message.map(piece => (typeof piece === 'string' ? piece : renamePiece(piece, names)))
}

function renamePiece(
  piece: Exclude<Message[number], string>,
  names: Renaming,
): Exclude<Message[number], string> {
  return 'expr' in piece
    ? { expr: renameInExpr(piece.expr, names) }
    : { value: names.get(piece.value) ?? piece.value }
}

function renameArgument(argument: HostArgument, names: Renaming): HostArgument {
  return 'text' in argument ? { text: renameMessage(argument.text, names) } : renamePiece(argument, names)
}

/** A step that gives nothing is there for what it does: `debug`. */
export function isEffect(step: Step): boolean {
  return step.outputs.length === 0
}

/** The names that a step gives. */
export function outputNames(step: Step): readonly string[] {
  return step.outputs.map(value => value.name)
}

/**
 * Whether what a step gives depends on when it runs: it reads a parameter, a buffer or a `var`, or its host expressions look at a clock or a
 * `var`.
 */
export function dependsOnTime(step: Step): boolean {
  return step.op === 'read' || step.op === 'get' || exprsOf(step).some(isFleeting)
}

const fleeting: readonly HostExpr['kind'][] = ['clock', 'var', 'logged', 'stalled', 'told']

/** Whether a host expression looks at a clock, a `var` or what was logged. */
export function isFleeting(expr: HostExpr): boolean {
  return leavesOf(expr).some(leaf => fleeting.includes(leaf.kind))
}

const changing: readonly HostStatement['kind'][] = ['minimize', 'move', 'set', 'set_tensor']

/** Whether running a statement may change parameters, clocks or `var`s. */
export function changesState(statement: HostStatement): boolean {
  return changing.includes(statement.kind) || within(statement).some(changesState)
}

/** Whether running a statement may write buffers. */
export function writesBuffers(statement: HostStatement): boolean {
  return statement.kind === 'write' || within(statement).some(writesBuffers)
}

/** The names that a statement and those within give. */
export function namesDefined(statement: HostStatement): readonly string[] {
  if (statement.kind === 'compute') return outputNames(statement.step)
  if (statement.kind === 'minimize' || statement.kind === 'differentiate')
    return statement.body.flatMap(outputNames)
  return within(statement).flatMap(namesDefined)
}
