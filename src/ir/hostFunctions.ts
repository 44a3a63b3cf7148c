import { within } from './blocks.ts'
import type { HostArgument, HostStatement, Message, Program } from './ir.ts'

/** A function of the user's own that `call` runs, and one of the places that do. */
export type HostCall = Extract<HostStatement, { readonly kind: 'call' }>

/** Every `call` of a program, in order. */
export function hostCalls({ steps, hooks }: Program): readonly HostCall[] {
  return [...steps, ...hooks].flatMap(({ body }) => callsIn(body))
}

function callsIn(body: readonly HostStatement[]): readonly HostCall[] {
  return body.flatMap(each => (each.kind === 'call' ? [each] : callsIn(within(each))))
}

/** What an argument is made of, as the pieces of a message. */
export function piecesOf(argument: HostArgument): Message {
  return 'text' in argument ? argument.text : [argument]
}
