import { nearest } from '../base/names.ts'
import { type Span, textOf } from '../base/source.ts'
import type { Extras } from '../diagnostics/diagnostic.ts'
import type { Arg, Expr, Formal, Node } from '../syntax/ast.ts'
import { type Context, complain } from './context.ts'
import { expecting, expression } from './evaluate.ts'
import type { Value } from './values.ts'
import { spokenWords } from './words.ts'

/** A value that a pipe hands to the call as its first argument. */
export interface Piped {
  readonly value: Value
  readonly span: Span
}
/** What a call looks like to whoever carries it out. */
export interface CallSite {
  readonly args: readonly Arg[]
  readonly span: Span
  /** The callee as written. */
  readonly shown: string
  /** The callee in full, where that is more: `Mlp.forward`. */
  readonly owner?: string
  /** The declaration of the callee: of one that has an error its arguments are not known. */
  readonly declaration?: Pick<Node, 'id' | 'span'>
  /** Where the module lies whose function it is. */
  readonly instance?: string | undefined
}

/** An argument as given: an expression of the caller, a piped value, or a default of the callee. */
export type Given =
  | { readonly kind: 'expr'; readonly expr: Expr; readonly span: Span }
  | { readonly kind: 'value'; readonly value: Value; readonly span: Span }
  | { readonly kind: 'default'; readonly expr: Expr; readonly span: Span }

/** Arguments of something that failed already: elaborated for their own errors. */
export function elaborateArguments(ctx: Context, site: CallSite): void {
  const within = expecting(ctx, undefined, true)
  for (const arg of site.args)
    if (arg.kind !== 'Except' && !isSpoken(ctx, arg.value)) expression(within, arg.value)
}

/** A word that means something to few callees, and no name: what it is to one that is misspelt nobody knows. */
function isSpoken(ctx: Context, node: Expr): boolean {
  if (node.kind === 'Member') return isSpoken(ctx, node.object)
  return node.kind === 'Name' && spokenWords.includes(node.text) && !ctx.env.lookup(node.text)
}

export function argumentValue(ctx: Context, given: Given): Value {
  return given.kind === 'value' ? given.value : expression(ctx, given.expr)
}

/** Arguments by position, then by name. Unknown, surplus, repeated and absent ones are reported; then nothing is returned. */
export function matchArguments(
  ctx: Context,
  formals: readonly Formal[],
  site: CallSite,
  piped?: Piped,
): ReadonlyMap<string, Given> | undefined {
  const given = new Map<string, Given>()
  const names = formals.map(formal => formal.name.text)
  let position = 0
  let failed = false
  const own = (what: string): Extras => causeOf(ctx, site, what)
  const place = (name: string | undefined, argument: Given): void => {
    if (name === undefined) {
      complain(
        ctx,
        'LTM3005',
        argument.span,
        { callee: site.shown, count: formals.length, signature: signatureText(site.shown, formals) },
        own('surplus'),
      )
      failed = true
    } else if (given.has(name)) {
      complain(ctx, 'LTM3007', argument.span, { callee: site.shown, name }, own(name))
      failed = true
    } else given.set(name, argument)
  }
  if (piped) place(names[position++], { kind: 'value', value: piped.value, span: piped.span })
  for (const arg of site.args) {
    if (arg.kind === 'Except')
      complain(ctx, 'LTM4502', arg.span, {
        statement: 'except',
        place: 'this call; it belongs to an optimizer',
      })
    else if (arg.kind === 'Positional')
      place(names[position++], { kind: 'expr', expr: arg.value, span: arg.value.span })
    else if (names.includes(arg.name.text))
      place(arg.name.text, { kind: 'expr', expr: arg.value, span: arg.value.span })
    else {
      const { text } = arg.name
      const near = nearest(text, names)
      const signature = signatureText(site.shown, formals)
      complain(ctx, 'LTM3004', arg.name.span, { callee: site.shown, name: text, near, signature }, own(text))
      failed = true
    }
  }
  for (const formal of formals) {
    if (given.has(formal.name.text)) continue
    if (formal.value)
      given.set(formal.name.text, { kind: 'default', expr: formal.value, span: formal.value.span })
    else if (!failed) {
      const name = formal.name.text
      complain(
        ctx,
        'LTM3006',
        site.span,
        { callee: site.shown, name, signature: signatureText(site.shown, formals) },
        own(name),
      )
      failed = true
    }
  }
  return failed ? undefined : given
}

/** Where the callee is the user's own, its signature may be what is wrong: calls that fail alike have one cause. */
export function causeOf(ctx: Context, { declaration }: Pick<CallSite, 'declaration'>, what: string): Extras {
  if (!declaration || ctx.world.library.has(declaration.span.source)) return {}
  return { cause: `${declaration.id}: ${what}` }
}

function signatureText(callee: string, formals: readonly Formal[]): string {
  return `it is \`${callee}(${formals.map(formal => textOf(formal.span)).join(', ')})\``
}
