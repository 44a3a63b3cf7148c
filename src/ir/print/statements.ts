import type { HostScope } from '../host.ts'
import type {
  ComputedGradients,
  Hook,
  HookEvent,
  HostArgument,
  HostStatement,
  LogFlags,
  Message,
  ReturnField,
  StepStream,
  TrainingStep,
} from '../ir.ts'
import { printExpr } from './expression.ts'
import { indent, type Line, line, traced } from './lines.ts'
import { printName, printNameUnless, printNumber, printType, printValue } from './names.ts'
import { stepLine } from './tensor.ts'

/** A step of training with its streams and its statements. */
export function trainingStepLines(step: TrainingStep, scope: HostScope): readonly Line[] {
  const name = step.name === undefined ? '' : ` ${printName(step.name)}`
  const key = step.key === undefined ? '' : ` key ${printValue(step.key)}`
  const head = `step ${step.phase}${name}(`
  const body = [...indent(statementLines(step.body, scope)), line('}')]
  if (step.streams.length === 0) return [traced(`${head})${key} {`, step.origin), ...body]
  const streams = indent(step.streams.map(stream => line(`${printStream(stream)},`)))
  return [traced(head, step.origin), ...streams, line(`)${key} {`), ...body]
}

function printStream(stream: StepStream): string {
  const fields = stream.fields.map(printStreamField)
  const source = `${printName(stream.data)} split ${printName(stream.split)}${stream.cycle ? ' cycle' : ''}`
  return `${printName(stream.name)} from ${source} size ${printName(stream.size)} (${fields.join(', ')})`
}

/** A hook: its event, its condition and its statements. */
export function hookLines(hook: Hook, scope: HostScope): readonly Line[] {
  const condition = hook.condition === undefined ? '' : ` if ${printExpr(hook.condition, scope)}`
  return [
    traced(`on ${printEvent(hook.event)}${printPayload(hook.payload)}${condition} {`, hook.origin),
    ...indent(statementLines(hook.body, scope)),
    line('}'),
  ]
}

function printPayload(payload: Hook['payload']): string {
  if (!payload) return ''
  const outputs = payload.outputs.map(printStreamField).join(', ')
  return ` takes (${outputs}) and (${payload.batches.map(printStream).join(', ')})`
}

function printStreamField({ field, value }: StepStream['fields'][number]): string {
  return `${printName(field)} = ${printValue(value.name)}: ${printType(value.type)}`
}

function printEvent(event: HookEvent): string {
  if (event.kind === 'event') return printNameUnless(event.name, ['every'])
  const of = event.of === undefined ? '' : ` of ${printName(event.of)}`
  return `every ${printNumber(event.count)} ${event.unit}${of}`
}

/** Statements, one under the other. */
export function statementLines(statements: readonly HostStatement[], scope: HostScope): readonly Line[] {
  return statements.flatMap(statement => linesOf(statement, scope))
}

function linesOf(statement: HostStatement, scope: HostScope): readonly Line[] {
  switch (statement.kind) {
    case 'compute':
      return [stepLine(statement.step, scope)]
    case 'move':
      return [
        traced(
          `move ${statement.names.map(printName).join(', ')} with ${printName(statement.optimizer)}${printGradients(statement.by)}`,
          statement.origin,
        ),
      ]
    case 'minimize':
    case 'differentiate':
      return minimizeLines(statement, scope)
    case 'if':
      return ifLines(statement, scope)
    case 'log':
    case 'log_host':
    case 'log_metric':
    case 'log_states':
      return [
        traced(
          `log ${printName(statement.name)} ${logged(statement, scope)}${flags(statement.flags)}`,
          statement.origin,
        ),
      ]
    case 'set':
      return [
        traced(`set ${printName(statement.name)} = ${printExpr(statement.value, scope)}`, statement.origin),
      ]
    case 'for':
      return forLines(statement, scope)
    case 'break':
      return [traced('break', statement.origin)]
    case 'var':
      return [
        traced(`var ${printName(statement.name)} = ${printExpr(statement.value, scope)}`, statement.origin),
      ]
    case 'var_tensor':
      return [
        traced(
          `var ${printName(statement.name)}: ${printType(statement.type)} = ${printValue(statement.value)}`,
          statement.origin,
        ),
      ]
    case 'set_tensor':
      return [traced(`set ${printName(statement.name)} = ${printValue(statement.value)}`, statement.origin)]
    case 'write':
      return [
        traced(`write ${printName(statement.buffer)} = ${printValue(statement.value)}`, statement.origin),
      ]
    case 'skip':
      return [traced('skip', statement.origin)]
    case 'stop':
      return [
        traced(
          `stop${statement.message === undefined ? '' : message(statement.message, scope)}`,
          statement.origin,
        ),
      ]
    case 'print':
    case 'checkpoint':
      return [traced(`${statement.kind}${message(statement.message, scope)}`, statement.origin)]
    case 'call': {
      const { name, file, args, origin } = statement
      const shown = args.map(arg => argument(arg, scope)).join(', ')
      return [traced(`call ${printName(name)} from ${JSON.stringify(file)} (${shown})`, origin)]
    }
    case 'freeze': {
      const word = statement.frozen ? 'freeze' : 'unfreeze'
      return [traced(`${word} (${statement.parameters.map(printName).join(', ')})`, statement.origin)]
    }
    case 'return':
      return [traced(`return (${statement.fields.map(printReturned).join(', ')})`, statement.origin)]
  }
}

/** ` from (%mean over %weight) by (net.weight = %d_weight)`. */
function printGradients(by: ComputedGradients | undefined): string {
  if (by === undefined) return ''
  const terms = by.terms.map(({ mean, weight }) => `${printValue(mean)} over ${printValue(weight)}`)
  const lists = by.gradients.map(list => {
    const shown = list.map(({ parameter, value }) => `${printName(parameter)} = ${printValue(value)}`)
    return ` by (${shown.join(', ')})`
  })
  return ` from (${terms.join(', ')})${by.apart ? ' apart' : ''}${lists.join('')}`
}

function printReturned(field: ReturnField): string {
  const { texts } = field
  const made = texts === undefined ? '' : ` texts ${printName(texts.data)} ${printName(texts.field)}`
  return `${printField(field)}${made}`
}

function printField(field: { readonly name: string; readonly value: string }): string {
  return `${printName(field.name)} = ${printValue(field.value)}`
}

function minimizeLines(
  statement: Extract<HostStatement, { readonly kind: 'minimize' | 'differentiate' }>,
  scope: HostScope,
): readonly Line[] {
  const { body, exports } = statement
  const loss = statement.terms
    .map(({ name, loss, weight }) => `${printName(name)} = ${printValue(loss)}${over(weight)}`)
    .join(', ')
  const exported = exports.length === 0 ? '' : ` exports ${exports.map(printValue).join(', ')}`
  const head = `${statement.kind} ${loss} with ${printName(statement.optimizer)}${exported}`
  if (body.length === 0) return [traced(head, statement.origin)]
  return [
    traced(`${head} {`, statement.origin),
    ...indent(body.map(step => stepLine(step, scope))),
    line('}'),
  ]
}

function ifLines(
  statement: Extract<HostStatement, { readonly kind: 'if' }>,
  scope: HostScope,
): readonly Line[] {
  const { otherwise } = statement
  return [
    traced(`if ${printExpr(statement.condition, scope)} {`, statement.origin),
    ...indent(statementLines(statement.then, scope)),
    ...(otherwise.length === 0 ? [] : [line('} else {'), ...indent(statementLines(otherwise, scope))]),
    line('}'),
  ]
}

function forLines(
  statement: Extract<HostStatement, { readonly kind: 'for' }>,
  scope: HostScope,
): readonly Line[] {
  const { index, from, to, body } = statement
  const end = to === undefined ? '' : ` to ${printExpr(to, scope)}`
  return [
    traced(`for ${printName(index)} from ${printExpr(from, scope)}${end} {`, statement.origin),
    ...indent(statementLines(body, scope)),
    line('}'),
  ]
}

type Log = Extract<HostStatement, { readonly kind: 'log' | 'log_host' | 'log_metric' | 'log_states' }>

function logged(statement: Log, scope: HostScope): string {
  if (statement.kind === 'log') return `= ${printValue(statement.value)}${over(statement.weight)}`
  if (statement.kind === 'log_host') return `= ${printExpr(statement.value, scope)}`
  if (statement.kind === 'log_states')
    return `in ${printName(statement.metric)} as (${statement.states.map(printValue).join(', ')})`
  const call = `${printName(statement.func)}(${statement.inputs.map(printValue).join(', ')})`
  return `in ${printName(statement.metric)} by ${call}`
}

function over(weight: string | undefined): string {
  return weight === undefined ? '' : ` over ${printValue(weight)}`
}

function flags({ bar, on }: LogFlags): string {
  return `${bar ? ' bar' : ''}${on === 'default' ? '' : ` on ${on}`}`
}

function message(pieces: Message, scope: HostScope): string {
  const shown = pieces.map(each => (typeof each === 'string' ? JSON.stringify(each) : piece(each, scope)))
  return `(${shown.join(', ')})`
}

function piece(each: Exclude<Message[number], string>, scope: HostScope): string {
  return 'expr' in each ? `{${printExpr(each.expr, scope)}}` : printValue(each.value)
}

function argument(arg: HostArgument, scope: HostScope): string {
  return 'text' in arg ? message(arg.text, scope) : piece(arg, scope)
}
