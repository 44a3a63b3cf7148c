import type { Span } from '../../base/source.ts'
import type { HostExpr } from '../../ir/ir.ts'
import type { Block, Expr } from '../../syntax/ast.ts'
import { visit } from '../../syntax/walk.ts'
import { sameType, type TensorType } from '../../types/tensor.ts'
import { complain, originOf } from '../context.ts'
import { describe } from '../describe.ts'
import { hostNumber } from '../operators.ts'
import { toTensor } from '../tensors.ts'
import { errorValue, type Value } from '../values.ts'
import type { StepContext } from './stepContext.ts'

/**
 * A `var` of a step that a block of the host sets: under a condition of the host, or in one of its loops. Elsewhere `set` gives
 * a name another value while the program is compiled; here only the run knows, so the value lies in a variable of the IR.
 */
export interface Variable {
  /** Its name in the IR. */
  readonly name: string
  readonly holds: TensorType | 'number' | 'bool'
}

/** Elaborates blocks of the host; what they set lies in variables while they are, and is read anew in each and behind them. */
export function inBlocks(
  step: StepContext,
  blocks: readonly Block[],
  elaborate: (step: StepContext, refresh: () => void) => void,
): void {
  const variables = new Map(step.variables)
  const names = setIn(blocks).filter(name => isVar(step, name))
  for (const name of names) {
    const known = variables.get(name) ?? open(step, name, blocks[0]?.span)
    if (known) variables.set(name, known)
  }
  const refresh = (): void => {
    for (const name of names) read(step, name, variables.get(name))
  }
  elaborate({ ...step, variables }, refresh)
  refresh()
}

function setIn(blocks: readonly Block[]): readonly string[] {
  const names = new Set<string>()
  for (const block of blocks)
    visit(block, {
      SetStatement: ({ target }) => {
        if (!('kind' in target)) for (const name of target) names.add(name.text)
        else {
          const name = rootOf(target)
          if (name !== undefined) names.add(name)
        }
      },
    })
  return [...names]
}

/** `x` of `x[i].h`. */
function rootOf(target: Expr): string | undefined {
  if (target.kind === 'Name') return target.text
  return target.kind === 'Index' || target.kind === 'Member' ? rootOf(target.object) : undefined
}

/** A `var` of the step: what it holds is known here, while a `var` of the training is read where it is used. */
function isVar({ ctx }: StepContext, name: string): boolean {
  const binding = ctx.env.lookup(name)
  return binding?.mutable === true && binding.value.kind !== 'error' && binding.persistent !== true
}

/** Puts the value that a `var` has here into a variable. */
function open(step: StepContext, name: string, span: Span | undefined): Variable | undefined {
  const { ctx, region } = step
  const value = ctx.env.lookup(name)?.value ?? errorValue
  const at = span ?? ctx.env.lookup(name)?.span
  if (!at) return undefined
  const origin = originOf(ctx.env.lookup(name)?.span ?? at)
  if (value.kind === 'tensor') {
    const variable: Variable = { name: region.openVariable(name), holds: value.type }
    region.body.push({ kind: 'var_tensor', name: variable.name, type: value.type, value: value.name, origin })
    region.assigned(variable.name, value.name, at)
    return variable
  }
  const expr = value.kind === 'bool' ? value.expr : hostNumber(value)?.expr
  if (!expr) {
    complain(ctx, 'LTM4505', at, { name, got: describe(value) })
    ctx.env.assign(name, errorValue)
    return undefined
  }
  const holds = value.kind === 'bool' ? 'bool' : 'number'
  const variable: Variable = { name: region.openVariable(name), holds }
  region.body.push({ kind: 'var', name: variable.name, value: expr, origin })
  const whole = value.kind === 'int' || (value.kind === 'float' && value.whole === true)
  const held: HostExpr = { kind: 'var', name: variable.name }
  ctx.env.assign(
    name,
    value.kind === 'bool'
      ? { kind: 'bool', expr: held }
      : { kind: 'float', expr: held, ...(whole && { whole }) },
  )
  return variable
}

/** The value that a variable has at this place. Host numbers always mean the variable itself. */
function read({ ctx, region }: StepContext, name: string, variable: Variable | undefined): void {
  if (!variable || variable.holds === 'number' || variable.holds === 'bool') return
  const span = ctx.env.lookup(name)?.span
  if (!span) return
  const value = region.held(variable.name, name, variable.holds, span)
  ctx.env.assign(name, { kind: 'tensor', name: value, type: variable.holds, span })
}

/** `set x = …` for a variable. */
export function setVariable(
  step: StepContext,
  name: string,
  variable: Variable,
  value: Value,
  span: Span,
): void {
  const { ctx, region } = step
  if (value.kind === 'error') return
  const origin = originOf(span)
  if (variable.holds === 'number' || variable.holds === 'bool') {
    const expr = hostValue(value, variable.holds)
    if (expr) region.body.push({ kind: 'set', name: variable.name, value: expr, origin })
    else wrongType(step, name, variable.holds === 'bool' ? 'a bool' : 'a number', value, span)
    return
  }
  const tensor = toTensor(ctx, value, span, variable.holds.dtype)
  if (tensor.kind === 'error') return
  if (!sameType(tensor.type, variable.holds))
    return wrongType(step, name, describe({ ...tensor, type: variable.holds }), value, span)
  region.body.push({ kind: 'set_tensor', name: variable.name, value: tensor.name, origin })
  region.assigned(variable.name, tensor.name, span)
  ctx.env.assign(name, tensor)
}

/** A value of the host; of a tensor of one element its number. */
export function hostValue(value: Value, wanted: 'number' | 'bool'): HostExpr | undefined {
  if (value.kind === 'tensor')
    return value.type.shape.length === 0 && (value.type.dtype === 'bool') === (wanted === 'bool')
      ? { kind: 'item', value: value.name }
      : undefined
  if (wanted === 'bool') return value.kind === 'bool' ? value.expr : undefined
  return hostNumber(value)?.expr
}

function wrongType({ ctx }: StepContext, name: string, expected: string, got: Value, span: Span): void {
  complain(
    ctx,
    'LTM2102',
    span,
    { what: `\`${name}\``, expected, got: describe(got) },
    ctx.env.lookup(name)?.span
      ? { labels: [{ span: ctx.env.lookup(name)?.span ?? span, text: 'declared here' }] }
      : {},
  )
}
