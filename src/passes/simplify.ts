import type { Step, ValueType } from '../ir/ir.ts'
import type { Pass } from './pass.ts'
import { type Rewriter, type Rewriting, rewriteProgram } from './rewrite.ts'
import { constantRules } from './simplify/constants.ts'
import { identityRules } from './simplify/identities.ts'
import { layoutRules } from './simplify/layout.ts'
import type { Known, Rule } from './simplify/rule.ts'
import { renameInputs } from './values.ts'

/** In this order; a step goes through them until none applies. */
export const rules: readonly Rule[] = [...constantRules, ...identityRules, ...layoutRules]

/**
 * Replaces steps by simpler ones of the same value and type, by a list of rules.
 *
 *     %one: f32[] = const dtype="f32" value=1
 *     %y: f32[n] = mul %x, %one               →    (readers of %y read %x)
 *     %z: f32[3, 2] = reshape %a shape=[3, 2]
 *     %w: f32[6] = reshape %z shape=[6]       →    %w: f32[6] = reshape %a shape=[6]
 *
 * Constants are folded in 32-bit floats, as the target would compute them. Left alone: whatever would change a rounding,
 * such as the order of a sum; steps that have become dead, which are for remove-dead-steps.
 */
export const simplify: Pass = {
  name: 'simplify',
  promise: 'No rule of the list applies to a step.',
  run: program => rewriteProgram(program, rewriter),
}

interface Simplifying extends Rewriting, Known {
  readonly steps: Map<string, Step>
  readonly types: Map<string, ValueType>
}

const rewriter: Rewriter<Simplifying> = {
  start: given => ({
    names: new Map(),
    steps: new Map(),
    types: new Map(given.map(value => [value.name, value.type])),
  }),
  steps: (steps, state) => steps.flatMap(step => simplified(renameInputs(step, state.names), state)),
  inner: state => ({
    names: new Map(state.names),
    steps: new Map(state.steps),
    types: new Map(state.types),
  }),
}

function simplified(step: Step, state: Simplifying): readonly Step[] {
  const [output, ...others] = step.outputs
  if (output === undefined || others.length > 0) return keep(step, state)
  for (const rule of rules) {
    const simpler = rule.rewrite(step, state)
    if (simpler === undefined) continue
    if (typeof simpler === 'object') return simplified({ ...step, ...simpler }, state)
    state.names.set(output.name, simpler)
    return []
  }
  return keep(step, state)
}

function keep(step: Step, { steps, types }: Simplifying): readonly Step[] {
  for (const output of step.outputs) {
    steps.set(output.name, step)
    types.set(output.name, output.type)
  }
  return [step]
}
