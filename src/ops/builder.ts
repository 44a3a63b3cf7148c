import { bug } from '../base/bug.ts'
import type { Attrs, Origin, Step, ValueType } from '../ir/ir.ts'
import type { Dim } from '../types/dim.ts'
import { type DType, showType } from '../types/tensor.ts'
import { findOp, opNames, type ops } from './index.ts'
import type { Op, Operand } from './op.ts'
import { inferType, withDefaults } from './signature.ts'

type AttrsOf<O> = O extends Op<infer A> ? A : Attrs

/** The key of a random generator, as an operator takes it. */
export interface KeyOperand {
  readonly name: string
  readonly type: 'key'
}

/** One typed constructor per operator: infers the result's type, appends the step, returns the value. */
export type Make = {
  /** `name` is what the value is called, made fresh; the operator's own name where it isn't given. */
  readonly [K in keyof typeof ops]: (
    inputs: readonly (Operand | KeyOperand)[],
    attrs?: Partial<AttrsOf<(typeof ops)[K]>>,
    name?: string,
  ) => Operand
} & {
  /** A single number as a tensor, f32 where it isn't said. */
  readonly constant: (value: number, dtype?: DType) => Operand
}

/** Where the steps that a {@link Make} builds go, and what it needs to know of their surroundings. */
export interface BuildContext {
  /** Steps are appended here. */
  readonly steps: Step[]
  /** A name like the given one that no other value has. */
  fresh(name: string): string
  /** What the steps come from. */
  origin(): Origin
  /** Told of sizes that must be equal and aren't known to be. */
  onObligation?(a: Dim, b: Dim): void
}

/**
 * Constructors that append to a list of steps. Arguments that an operator can't take are a bug: whoever builds from a
 * user's program asks {@link inferType} first.
 */
export function makeBuilder(context: BuildContext): Make {
  const entries = opNames.map(op => [
    op,
    (inputs: readonly (Operand | KeyOperand)[], attrs: Attrs = {}, name: string = op) =>
      tensorOnly(op, appendStep(context, op, inputs, attrs, name)),
  ])
  const constant = (value: number, dtype: DType = 'f32') =>
    tensorOnly('const', appendStep(context, 'const', [], { value, dtype }))
  // Object.fromEntries forgets the keys; they are those of the table, which is what Make says.
  return { ...Object.fromEntries(entries), constant } as Make
}

/** Appends one step by the name of its operator; the way to those whose result is a key. */
export function appendStep(
  context: BuildContext,
  name: string,
  inputs: readonly (Operand | KeyOperand)[],
  attrs: Attrs = {},
  called: string = name,
): Operand | KeyOperand {
  const op = findOp(name) ?? bug(`there is no operator ${name}`)
  const types = inputs.map(input => input.type)
  const inferred = inferType(op, types, attrs)
  if ('clash' in inferred) return bug(`${name}(${types.map(showValueType).join(', ')}): ${inferred.clash}`)
  for (const [a, b] of inferred.obligations) context.onObligation?.(a, b)
  const output = { name: context.fresh(called), type: inferred.type }
  context.steps.push({
    op: name,
    inputs: inputs.map(input => input.name),
    attrs: withDefaults(op, attrs),
    outputs: [output],
    origin: context.origin(),
  })
  return asOperand(output.name, inferred.type)
}

/** A type as users write it, `key` included. */
export function showValueType(type: ValueType): string {
  return type === 'key' ? 'key' : showType(type)
}

function asOperand(name: string, type: ValueType): Operand | KeyOperand {
  return type === 'key' ? { name, type } : { name, type }
}

function tensorOnly(op: string, value: Operand | KeyOperand): Operand {
  const { name, type } = value
  return type === 'key' ? bug(`${op} gives a key: use appendStep`) : { name, type }
}
