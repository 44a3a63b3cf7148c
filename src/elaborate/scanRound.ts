import type { Span } from '../base/source.ts'
import type { FuncParam } from '../ir/ir.ts'
import type { For, Name } from '../syntax/ast.ts'
import { Captures } from './captures.ts'
import { type Context, complain } from './context.ts'
import { checkShadowing } from './declaring.ts'
import { executeBody } from './evaluate.ts'
import { FunctionRegion } from './functionRegion.ts'
import { ownValue } from './functions.ts'
import { secondYield } from './loopEffects.ts'
import { type Carried, tensorsOnly } from './scanCarried.ts'
import { sliceType } from './sequence.ts'
import { errorValue, type SequenceValue, type Value } from './values.ts'

/** The body of a loop as a function under construction. */
export interface RoundBody {
  readonly region: FunctionRegion
  readonly captures: Captures
  readonly params: readonly FuncParam[]
  /** The carried values as the round leaves them, before their types are looked at. */
  readonly ends: ReadonlyMap<string, Value>
  readonly yielded: Value | undefined
  readonly yields: number
  readonly firstYield: Span | undefined
  readonly span: Span
  /** Adds to the body after its last statement. */
  readonly inside: <T>(add: (ctx: Context) => T) => T
}

export function elaborateBody(
  ctx: Context,
  node: For,
  sequences: readonly SequenceValue[] | undefined,
  carried: readonly Carried[],
): RoundBody {
  const region = new FunctionRegion()
  const captures = new Captures(region)
  const env = captures.scope(ctx.env)
  const params: FuncParam[] = []
  for (const { name, start, span } of carried)
    env.define(name, ownValue(region, name, start, params, span), span, { mutable: true })
  node.names.forEach((name, i) => {
    checkShadowing(ctx, name)
    env.define(name.text, sliceValue(region, name, sequences?.[i], params), name.span)
  })
  const spans: Span[] = []
  const given: Value[] = []
  const second = secondYield(node.body)
  const within: Context = {
    ...ctx,
    env,
    region,
    expected: undefined,
    returns: 'optional',
    round: (value, span) => {
      // Of the branches of a condition that a definition leaves open one yields.
      if (spans.length > 0 && (!ctx.generic || span === second?.span))
        complain(within, 'LTM2146', span, undefined)
      spans.push(span)
      given.push(value)
    },
  }
  executeBody(within, node.body)
  return {
    region,
    captures,
    params,
    ends: new Map(carried.map(({ name }) => [name, env.lookup(name)?.value ?? errorValue])),
    yielded: given[0] && tensorsOnly(within, given[0], spans[0]!),
    yields: spans.length,
    firstYield: spans[0],
    span: node.body.span,
    inside: add => add(within),
  }
}

function sliceValue(
  region: FunctionRegion,
  name: Name,
  sequence: SequenceValue | undefined,
  params: FuncParam[],
): Value {
  if (!sequence) return errorValue
  const own = region.fresh(name.text)
  const type = sliceType(sequence)
  params.push({ name: own, type })
  return { kind: 'tensor', name: own, type, span: name.span }
}
