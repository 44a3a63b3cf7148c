import { annotation, type Code, join, ts } from '../../base/code.ts'
import type { Func } from '../../ir/ir.ts'
import type { Argument, Style } from './functionText.ts'
import { property, propertyKey, quote } from './names.ts'

interface HostArgument {
  readonly local: string
  readonly used: boolean
}

/** What a function's parameters are printed from. */
export interface Parameters {
  readonly style: Style
  /** The module's parameters, where the function needs any. */
  readonly self: { readonly local: string; readonly type: Code } | undefined
  /** Parameters that aren't members of the module, keys too. */
  readonly args: readonly Argument[]
  readonly hosts: readonly (readonly [name: string, argument: HostArgument])[]
  readonly keys: readonly Argument[]
}

/** The parameters of a function: the module, the tensors, host numbers, the key. */
export function parametersOf(parameters: Parameters): readonly Code[] {
  const { style, args, hosts, keys } = parameters
  const tensors = args.filter(({ param }) => param.type !== 'key')
  const last = keys.map(({ local }) => ts`${local}${annotation`: Key`}`)
  if (style.kind !== 'state' && style.kind !== 'update')
    return [
      ...selfParameter(parameters),
      ...tensors.map(tensorParameter),
      ...hosts.map(numberParameter),
      ...last,
    ]
  if (style.kind === 'state') {
    const count = style.states.length
    const state = recordParameter(style.states, tensors.slice(0, count), 'state', style.type)
    return [state, ...tensors.slice(count).map(tensorParameter), ...hosts.map(numberParameter), ...last]
  }
  return updateParameters(style, tensors, hosts)
}

/** `(slots, param, grad, t, settings)`; `t` is the first of the host parameters. */
function updateParameters(
  { slots, settings }: Style & { readonly kind: 'update' },
  tensors: readonly Argument[],
  hosts: Parameters['hosts'],
): readonly Code[] {
  const numbers = hosts.slice(1).map(([, host], i) => ({ ...host, name: settings[i] ?? host.local }))
  const used = numbers.filter(host => host.used).map(({ name, local }) => property(name, local))
  const pattern = used.length === 0 ? '_settings' : `{ ${used.join(', ')} }`
  const all = [
    recordParameter(slots, tensors.slice(0, slots.length), 'slots', recordOf(slots, 'tf.Tensor')),
    ...tensors.slice(slots.length).map(tensorParameter),
    ...hosts.slice(0, 1).map(numberParameter),
    ts`${pattern}${annotation`: ${recordOf(
      numbers.map(({ name }) => name),
      'number',
    )}`}`,
  ]
  return used.length === 0 ? all.slice(0, -1) : all
}

/** A longer one is a literal type, which can be laid out in lines. */
const longestRecord = 80

/** `Record<'m' | 'v', tf.Tensor>`. */
function recordOf(keys: readonly string[], type: string): string {
  if (keys.length === 0) return 'object'
  const short = `Record<${keys.map(quote).join(' | ')}, ${type}>`
  return short.length <= longestRecord
    ? short
    : `{ ${keys.map(key => `${propertyKey(key)}: ${type}`).join('; ')} }`
}

function recordParameter(
  keys: readonly string[],
  args: readonly Argument[],
  name: string,
  type: string,
): Code {
  const used = args.flatMap(({ local, used }, i) => (used ? [property(keys[i] ?? local, local)] : []))
  const pattern = used.length === 0 ? `_${name}` : `{ ${used.join(', ')} }`
  return ts`${pattern}${annotation`: ${type}`}`
}

function tensorParameter({ local, used }: Argument): Code {
  return ts`${used ? local : `_${local}`}${annotation`: tf.Tensor`}`
}

function numberParameter([, { local, used }]: readonly [string, HostArgument]): Code {
  return ts`${used ? local : `_${local}`}${annotation`: number`}`
}

function selfParameter({ self }: Parameters): readonly Code[] {
  return self === undefined ? [] : [ts`${self.local}${annotation`: ${self.type}`}`]
}

/** Names of the results where a function returns a record. */
export function fieldsOf(func: Func, style: Style): readonly string[] | undefined {
  if (style.kind === 'state' && style.returns) return style.states
  if (style.kind === 'update') return [...style.slots, 'param']
  if (func.fields !== undefined) return func.fields
  return func.results.length === 1 ? undefined : func.results.map((_, i) => `_${i}`)
}

/** The annotation behind the parameters; an update's record is inferred. */
export function returnType(func: Func, style: Style): Code {
  if (style.kind === 'update') return ''
  if (style.kind === 'state' && style.returns) return annotation`: ${style.type}`
  if (isList(style)) return annotation`: tf.Tensor[]`
  const fields = fieldsOf(func, style)
  if (fields === undefined) return annotation`: tf.Tensor`
  return annotation`: { ${join(
    fields.map(field => `${propertyKey(field)}: tf.Tensor`),
    '; ',
  )} }`
}

/** Whether results come as a list. */
export function isList(style: Style): boolean {
  return style.kind === 'list' || (style.kind === 'columns' && style.list)
}
