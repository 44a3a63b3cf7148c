import { blocksOf, boundsOf, within } from '../../ir/blocks.ts'
import { piecesOf } from '../../ir/hostFunctions.ts'
import type { HostExpr, HostStatement, Message, Step } from '../../ir/ir.ts'

/** How often each value is read by what is alive. */
export type Uses = Map<string, number>

/** Which inputs of a step are handed on; a call may leave out what its function doesn't need. */
export type InputsOf = (step: Step) => readonly string[]

/** Before it is known what functions need. */
export const allInputs: InputsOf = step => step.inputs

/** Counts the uses of values by the live steps of a list, given those of what comes after it. */
export function countSteps(steps: readonly Step[], uses: Uses, inputsOf: InputsOf): void {
  for (const step of [...steps].reverse()) {
    if (!isAlive(step, uses)) continue
    for (const name of inputsOf(step)) use(uses, name)
    for (const name of hostAttrs(step).flatMap(itemsOf)) use(uses, name)
  }
}

/** Whether something reads what a step gives, or it gives nothing and is there for what it does. */
export function isAlive({ outputs }: Step, uses: ReadonlyMap<string, number>): boolean {
  return outputs.length === 0 || outputs.some(value => uses.has(value.name))
}

/** Counts the uses of values by host statements, which are all alive, and by the live steps between them. */
export function countStatements(body: readonly HostStatement[], uses: Uses, inputsOf: InputsOf): void {
  for (const statement of [...body].reverse()) {
    for (const name of readBy(statement)) use(uses, name)
    if (statement.kind === 'compute') countSteps([statement.step], uses, inputsOf)
    if (statement.kind === 'minimize' || statement.kind === 'differentiate')
      countSteps(statement.body, uses, inputsOf)
    for (const block of [...blocksOf(statement)].reverse()) countStatements(block, uses, inputsOf)
  }
}

/** The values that a statement reads itself, apart from steps and statements inside it. */
function readBy(statement: HostStatement): readonly string[] {
  switch (statement.kind) {
    case 'minimize':
    case 'differentiate':
      return statement.terms.flatMap(({ loss, weight }) => [loss, ...optional(weight)])
    case 'log':
      return [statement.value, ...optional(statement.weight)]
    case 'log_metric':
      return statement.inputs
    case 'log_states':
      return statement.states
    case 'move':
      return gradientValues(statement)
    case 'return':
      return statement.fields.map(({ value }) => value)
    case 'if':
      return itemsOf(statement.condition)
    case 'for':
      return boundsOf(statement).flatMap(itemsOf)
    case 'write':
      return [statement.value]
    case 'log_host':
    case 'var':
    case 'set':
      return itemsOf(statement.value)
    case 'var_tensor':
    case 'set_tensor':
      return [statement.value]
    case 'stop':
    case 'print':
    case 'checkpoint':
      return (statement.message ?? []).flatMap(readByPart)
    case 'call':
      return statement.args.flatMap(piecesOf).flatMap(readByPart)
    case 'compute':
    case 'break':
    case 'skip':
    case 'freeze':
      return []
  }
}

function gradientValues({ by }: Extract<HostStatement, { readonly kind: 'move' }>): readonly string[] {
  if (by === undefined) return []
  const terms = by.terms.flatMap(({ mean, weight }) => [mean, weight])
  return [...terms, ...by.gradients.flat().map(({ value }) => value)]
}

function readByPart(part: Message[number]): readonly string[] {
  if (typeof part === 'string') return []
  return 'expr' in part ? itemsOf(part.expr) : [part.value]
}

/** Host expressions among the attributes of a structural step. */
function hostAttrs(step: Step): readonly HostExpr[] {
  return Object.values(step.attrs).flatMap(attr =>
    Array.isArray(attr) ? attr.filter(isHostExpr) : isHostExpr(attr) ? [attr] : [],
  )
}

/** Attributes are numbers, texts, lists of these, or host expressions. */
export function isHostExpr(attr: unknown): attr is HostExpr {
  return typeof attr === 'object' && attr !== null && 'kind' in attr
}

/** The tensors whose numbers a step's host expressions wait for. */
export function itemsOfStep(step: Step): readonly string[] {
  return hostAttrs(step).flatMap(itemsOf)
}

function itemsOf(expr: HostExpr): readonly string[] {
  if (expr.kind === 'item') return [expr.value]
  if (expr.kind === 'apply') return expr.args.flatMap(itemsOf)
  if (expr.kind === 'choose') return [expr.condition, expr.then, expr.otherwise].flatMap(itemsOf)
  return []
}

function use(uses: Uses, name: string): void {
  uses.set(name, (uses.get(name) ?? 0) + 1)
}

function optional(name: string | undefined): readonly string[] {
  return name === undefined ? [] : [name]
}

/** Statements and those inside them, in order. */
export function statementsIn(body: readonly HostStatement[]): readonly HostStatement[] {
  return body.flatMap(host => [host, ...statementsIn(within(host))])
}

/** All tensor steps of host statements, in order. */
export function stepsOf(body: readonly HostStatement[]): readonly Step[] {
  return statementsIn(body).flatMap(host => {
    if (host.kind === 'compute') return [host.step]
    return host.kind === 'minimize' || host.kind === 'differentiate' ? host.body : []
  })
}
