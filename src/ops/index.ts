import type { Attrs } from '../ir/ir.ts'
import * as arithmetic from './arithmetic.ts'
import * as compare from './compare.ts'
import * as constant from './constant.ts'
import * as convolution from './convolution.ts'
import * as elementwise from './elementwise.ts'
import * as indexing from './indexing.ts'
import * as layout from './layout.ts'
import * as linear from './linear.ts'
import * as network from './network.ts'
import type { AttrSpec, Op, Sample } from './op.ts'
import * as pooling from './pooling.ts'
import * as random from './random.ts'
import * as reduce from './reduce.ts'

/** Any entry, whatever its attributes are: `never` where it takes them, {@link Attrs} where it gives them. */
type Entry = Omit<Op<never>, 'attrs' | 'lift' | 'samples'> & {
  readonly attrs?: Readonly<Record<string, AttrSpec>>
  readonly lift?:
    | 'elementwise'
    | ((...args: Parameters<Exclude<Op<never>['lift'], 'elementwise' | undefined>>) => Attrs)
  readonly samples: readonly Sample[]
}

/** The families by the name of their file; a test sees to it that no name occurs in two of them. */
export const families = {
  arithmetic,
  compare,
  constant,
  convolution,
  elementwise,
  indexing,
  layout,
  linear,
  network,
  pooling,
  random,
  reduce,
}

/** The operator table. */
export const ops = {
  ...constant,
  ...arithmetic,
  ...elementwise,
  ...compare,
  ...reduce,
  ...linear,
  ...convolution,
  ...pooling,
  ...layout,
  ...indexing,
  ...network,
  ...random,
}

/** The name of an operator in the IR. */
export type OpName = keyof typeof ops

/** Whether a name in the IR is that of an operator in the table. */
export function isOp(name: string): name is OpName {
  return Object.hasOwn(ops, name)
}

/** The same table without the entries' own attribute types; that it compiles shows that families export operators only. */
const entries: Readonly<Record<OpName, Entry>> = ops

/**
 * The entry of a name that is known at run time only. The cast gives the attributes their general type: whoever looks an
 * entry up by name takes them from a step, where they have been checked against `attrs`.
 */
export function findOp(name: string): Op | undefined {
  return isOp(name) ? (entries[name] as unknown as Op) : undefined
}

/** The names of all operators, in the order of the table. */
export const opNames: readonly OpName[] = Object.keys(ops).filter(isOp)

const byCall = new Map<string, OpName[]>()
for (const name of opNames) {
  const call = entries[name].call ?? name
  if (call !== false) byCall.set(call, [...(byCall.get(call) ?? []), name])
}

/** The operators that a call by this name may mean, told apart by their number of tensor arguments. */
export function opsCalled(call: string): readonly OpName[] {
  return byCall.get(call) ?? []
}
