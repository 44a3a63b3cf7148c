import type { NameSupply } from '../../base/fresh.ts'
import { within } from '../../ir/blocks.ts'
import type { Func, HostStatement, Program, Step, TrainingStep, Value, ValueType } from '../../ir/ir.ts'
import type { Renaming } from '../values.ts'

/** What is known of the step of training whose graphs are being formed. */
export interface Context {
  readonly program: Program
  readonly step: TrainingStep
  readonly functions: ReadonlyMap<string, Func>
  /** Names of functions. */
  readonly names: NameSupply
  /** Names of values of the step. */
  readonly supply: NameSupply
  readonly types: Map<string, ValueType>
  readonly graphs: Func[]
}

/** Values that have others in their place: what a buffer holds that the list has written. */
export interface ListContext extends Context {
  readonly inherited: Renaming
  /** What parameters are, by path, where the list around has read them and nothing has moved them. */
  readonly raw: ReadonlyMap<string, string>
}

/** Steps that the host does: they look at what the step of training has at hand, or run a graph that there is already. */
export function isHostStep({ op, attrs }: Step, { functions }: Pick<Context, 'functions'>): boolean {
  return op === 'read' || op === 'get' || isGraphCall({ op, attrs }, functions)
}

/** Whether a step is the call of a graph. */
export function isGraphCall(
  { op, attrs }: Pick<Step, 'op' | 'attrs'>,
  functions: ReadonlyMap<string, Func>,
): boolean {
  return op === 'call' && functions.get(String(attrs.func))?.role === 'graph'
}

/** All tensor steps of a statement and those within. */
export function stepsIn(statement: HostStatement): readonly Step[] {
  if (statement.kind === 'compute') return [statement.step]
  if (statement.kind === 'minimize' || statement.kind === 'differentiate') return statement.body
  return within(statement).flatMap(stepsIn)
}

/** The values that they give. */
export function valuesDefined(statement: HostStatement): readonly Value[] {
  return stepsIn(statement).flatMap(({ outputs }) => outputs)
}
