import { bug } from '../base/bug.ts'
import type { Attrs, Func, HostStatement, Program, Step, ValueType } from '../ir/ir.ts'
import { isSequence, roundsOf, roundTypes, scanOf } from '../ir/scan.ts'
import { bindSizes, exprAt, stepAt } from '../passes/calls.ts'
import { type Dim, multiply } from '../types/dim.ts'

/** A value as it flows through calls: the same one under whatever name a function has for it. */
export interface Flow {
  readonly type: ValueType
  /** The parameter or buffer that it is, raw or constrained. */
  readonly path?: string
  /** A work has made it; parameters and the fields of a batch were there before. */
  readonly made?: true
}

/** One application of an operator, with the types that it has there, in the module that it happens in. */
export interface Work {
  /** A key of the operator table; a `link` hands values on and costs nothing. */
  readonly op: string
  readonly inputs: readonly Flow[]
  readonly outputs: readonly Flow[]
  readonly attrs: Attrs
  /** The path of the innermost module; empty in the step itself. */
  readonly module: string
  /** How often it happens: more than once in a loop. */
  readonly times: Dim
}

/** A call of a module, by the path of the instance. */
export interface ModuleCall {
  readonly path: string
  readonly type: string
  readonly inputs: readonly ValueType[]
  readonly outputs: readonly ValueType[]
  readonly times: Dim
}

/** Losses that an optimizer is to lower, and what leads from its parameters to them. */
export interface Descent {
  readonly optimizer: string
  readonly works: readonly Work[]
  readonly losses: readonly Flow[]
}

/** All that a step of training does, in order; in the symbols of its batches. */
export interface Trail {
  /** What is known of these symbols. */
  readonly dims: Map<string, Dim>
  readonly works: Work[]
  readonly calls: ModuleCall[]
  readonly descents: Descent[]
}

/** Where the walk is. */
export interface Place {
  readonly program: Program
  readonly functions: ReadonlyMap<string, Func>
  readonly constraints: ReadonlySet<string>
  readonly trail: Trail
  readonly module: string
  readonly times: Dim
}

/** The values of a step or function, by their names there. */
export type Values = Map<string, Flow>

/** Where a walk through the functions of a program begins. */
export function startWalk(program: Program, dims: Map<string, Dim>): Place {
  return {
    program,
    functions: new Map(program.functions.map(func => [func.name, func])),
    constraints: new Set(
      program.parameters.flatMap(({ constraint }) => (constraint === undefined ? [] : [constraint.forward])),
    ),
    trail: { dims, works: [], calls: [], descents: [] },
    module: '',
    times: 1,
  }
}

/**
 * Walks through the statements of a step. Both branches of an `if` count; a loop of the host counts as often as it turns
 * where its bounds are numbers, else once.
 */
export function walkStatements(statements: readonly HostStatement[], values: Values, place: Place): void {
  for (const statement of statements) walkStatement(statement, values, place)
}

function walkStatement(statement: HostStatement, values: Values, place: Place): void {
  switch (statement.kind) {
    case 'compute':
      return walkStep(statement.step, values, place)
    case 'minimize':
    case 'differentiate': {
      const { works, descents } = place.trail
      const start = works.length
      for (const step of statement.body) walkStep(step, values, place)
      const losses = statement.terms.map(term => flowOf(values, term.loss))
      descents.push({ optimizer: statement.optimizer, works: works.slice(start), losses })
      return
    }
    case 'log_metric': {
      const func = funcOf(place, statement.func)
      const given = statement.inputs.map(name => flowOf(values, name))
      const states = func.params.slice(0, func.params.length - given.length)
      enter(func, [...states.map(({ type }) => ({ type })), ...given], place)
      return
    }
    case 'if':
      walkStatements(statement.then, new Map(values), place)
      walkStatements(statement.otherwise, new Map(values), place)
      return
    case 'for': {
      const sizes = { dims: place.trail.dims, rests: new Map() }
      const [from, to] = [statement.from, statement.to].map(bound => bound && exprAt(bound, sizes))
      const known = from?.kind === 'number' && to?.kind === 'number'
      const turns = known ? Math.max(to.value - from.value, 0) : 1
      const inside = { ...place, times: multiply(place.times, turns) }
      walkStatements(statement.body, new Map(values), inside)
      return
    }
    case 'var_tensor':
    case 'set_tensor':
      values.set(`var ${statement.name}`, flowOf(values, statement.value))
      return
    default:
  }
}

/** Walks through a function at a call; gives its results. */
export function enter(func: Func, args: readonly Flow[], place: Place): readonly Flow[] {
  const sizes = bindSizes(
    func,
    args.map(({ type }) => type),
  )
  if ('clash' in sizes) return bug(`${func.name} is called where it can't be: ${sizes.clash}`)
  const values: Values = new Map(func.params.map((param, i) => [param.name, args[i] ?? { type: param.type }]))
  for (const step of func.steps) walkStep(stepAt(step, sizes), values, place)
  return func.results.map(name => flowOf(values, name))
}

function walkStep(step: Step, values: Values, place: Place): void {
  const inputs = step.inputs.map(name => flowOf(values, name))
  const give = (outputs: readonly Flow[]) => {
    for (const [i, { name, type }] of step.outputs.entries()) values.set(name, outputs[i] ?? { type })
  }
  switch (step.op) {
    case 'read': {
      const path = String(step.attrs.parameter ?? step.attrs.buffer)
      return give(step.outputs.map(({ type }) => ({ type, path })))
    }
    case 'get': {
      const held = values.get(`var ${String(step.attrs.var)}`)
      return give(held === undefined ? [] : [held])
    }
    case 'host':
    case 'debug':
      return give([])
    case 'call':
      return give(walkCall(step, inputs, place))
    case 'scan':
      return give(walkScan(step, inputs, place))
    default: {
      const outputs = madeOf(step)
      record(place, { op: step.op, inputs, outputs, attrs: step.attrs })
      return give(outputs)
    }
  }
}

function record(place: Place, work: Pick<Work, 'op' | 'inputs' | 'outputs' | 'attrs'>): void {
  place.trail.works.push({ ...work, module: place.module, times: place.times })
}

function walkCall(step: Step, inputs: readonly Flow[], place: Place): readonly Flow[] {
  const func = funcOf(place, String(step.attrs.func))
  const instance = instanceOf(func, inputs)
  const inside = instance === undefined ? place : { ...place, module: instance }
  const results = enter(func, inputs, inside)
  if (instance !== undefined && instance !== place.module) {
    place.trail.calls.push({
      path: instance,
      type: func.declaration.split('.')[0] ?? func.declaration,
      inputs: inputs.flatMap(({ type }, i) =>
        func.params[i]?.member === undefined && type !== 'key' ? [type] : [],
      ),
      outputs: results.map(({ type }) => type),
      times: place.times,
    })
  }
  return place.constraints.has(func.name) ? constrained(results, inputs, place) : results
}

/** What a constraint makes of a parameter is that parameter, to whoever is handed it. */
function constrained(results: readonly Flow[], inputs: readonly Flow[], place: Place): readonly Flow[] {
  const path = inputs[0]?.path
  const [first, ...others] = results
  if (path === undefined || first === undefined) return results
  const value: Flow = { type: first.type, path, made: true }
  record(place, { op: 'link', inputs: [first], outputs: [value], attrs: {} })
  return [value, ...others]
}

/** The path of the module that a function belongs to at a call, told by the first of its members that is a parameter. */
function instanceOf(func: Func, inputs: readonly Flow[]): string | undefined {
  for (const [i, { member }] of func.params.entries()) {
    const path = inputs[i]?.path
    if (member !== undefined && path?.endsWith(`.${member}`)) return path.slice(0, -member.length - 1)
  }
  return undefined
}

function walkScan(step: Step, inputs: readonly Flow[], place: Place): readonly Flow[] {
  const scan = scanOf(step) ?? bug('a scan without its attributes')
  const types = inputs.map(({ type }) => type)
  const rounds = roundsOf(scan, types[scan.carried]) ?? bug('a scan along nothing')
  const slices = roundTypes(scan, types) ?? bug('a scan along no axis')
  const args = slices.map((type, i): Flow => {
    const isNew = i < scan.carried || isSequence(scan, i)
    return isNew ? { type, made: true } : (inputs[i] ?? { type })
  })
  const { carried } = scan
  // What a round carries on may come from anything that it takes; a slice is of its sequence alone.
  record(place, { op: 'link', inputs, outputs: args.slice(0, carried), attrs: {} })
  for (const [i, input] of inputs.entries())
    if (isSequence(scan, i))
      record(place, { op: 'link', inputs: [input], outputs: args.slice(i, i + 1), attrs: {} })
  const inside = { ...place, times: multiply(place.times, rounds) }
  const results = enter(funcOf(place, scan.func), args, inside)
  const outputs = madeOf(step)
  record(place, { op: 'link', inputs: results, outputs, attrs: {} })
  return outputs
}

function madeOf(step: Step): readonly Flow[] {
  return step.outputs.map(({ type }) => ({ type, made: true }))
}

function flowOf(values: Values, name: string): Flow {
  return values.get(name) ?? bug(`the value %${name} is read before it is computed`)
}

function funcOf({ functions }: Place, name: string): Func {
  return functions.get(name) ?? bug(`there is no function \`${name}\``)
}
