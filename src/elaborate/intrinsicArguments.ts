import { nearest } from '../base/names.ts'
import type { Arg } from '../syntax/ast.ts'
import type { CallSite, Piped } from './arguments.ts'
import { type Context, complain } from './context.ts'

/** What an intrinsic function takes: by position or name, how many of those at least, and by name only. */
interface Accepted {
  readonly order: readonly string[]
  readonly least: number
  readonly named?: readonly string[]
}

const one = (name: string): Accepted => ({ order: [name], least: 1 })
const shaped = (order: readonly string[], least = 0): Accepted => ({ order, least, named: ['shape', 'like'] })

const accepted: Readonly<Record<string, Accepted>> = {
  len: one('list'),
  copy: one('module'),
  size: one('x'),
  float: one('x'),
  int: one('x'),
  f32: one('x'),
  i32: one('x'),
  bool: one('x'),
  fill: shaped(['value'], 1),
  normal: shaped(['mean', 'std']),
  uniform: shaped(['low', 'high']),
  bernoulli: shaped(['p']),
  arange: one('count'),
  permutation: one('count'),
  eye: shaped([]),
  linspace: shaped(['from', 'to'], 2),
  stack: { order: ['list'], least: 1, named: ['axis'] },
  along: { order: ['x', 'axis'], least: 1, named: ['reverse'] },
  columns: one('range'),
  column: one('index'),
  standardize: one('x'),
}

/**
 * The call with its arguments in order, those given by name included; undefined where one is unknown, surplus or absent,
 * which is reported.
 */
export function intrinsicSite(
  ctx: Context,
  name: string,
  site: CallSite,
  piped: Piped | undefined,
): CallSite | undefined {
  const takes = Object.hasOwn(accepted, name) ? accepted[name] : undefined
  if (!takes) return site
  const names = [...takes.order, ...(takes.named ?? [])]
  const before = piped ? 1 : 0
  const given = site.args.filter(arg => arg.kind === 'Positional').length + before
  const unknown = site.args.find(arg => arg.kind === 'Named' && !names.includes(arg.name.text))
  if (unknown?.kind === 'Named') {
    complain(ctx, 'LTM3004', unknown.name.span, {
      callee: site.shown,
      name: unknown.name.text,
      near: nearest(unknown.name.text, names),
    })
    return undefined
  }
  const signature = signatureOf(site.shown, takes)
  if (given > takes.order.length) {
    const last = site.args.filter(arg => arg.kind === 'Positional').at(-1)
    complain(ctx, 'LTM3005', last?.span ?? site.span, {
      callee: site.shown,
      count: takes.order.length,
      signature,
    })
    return undefined
  }
  const args = inOrder(site.args, takes.order.slice(before))
  const filled = args.filter(arg => arg.kind === 'Positional').length + before
  if (filled >= takes.least) return { ...site, args }
  complain(ctx, 'LTM3006', site.span, { callee: site.shown, name: takes.order[filled] ?? '', signature })
  return undefined
}

/** Arguments by name become those by position where all before them are there. */
function inOrder(args: readonly Arg[], order: readonly string[]): readonly Arg[] {
  const positional = args.filter(arg => arg.kind === 'Positional')
  const rest = args.filter(arg => arg.kind !== 'Positional')
  for (const name of order.slice(positional.length)) {
    const at = rest.findIndex(arg => arg.kind === 'Named' && arg.name.text === name)
    const arg = rest[at]
    if (arg?.kind !== 'Named') break
    rest.splice(at, 1)
    positional.push({ kind: 'Positional', id: arg.id, span: arg.span, value: arg.value })
  }
  return [...positional, ...rest]
}

function signatureOf(shown: string, { order, least, named = [] }: Accepted): string {
  const all = [
    ...order.map((name, i) => (i < least ? name : `${name}: …`)),
    ...named.map(name => `${name}: …`),
  ]
  return `it is \`${shown}(${all.join(', ')})\``
}
