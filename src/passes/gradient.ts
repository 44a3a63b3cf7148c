import { bug } from '../base/bug.ts'
import { NameSupply } from '../base/fresh.ts'
import { mapBlocks, within } from '../ir/blocks.ts'
import type { Func, FuncParam, HostStatement, Origin, Program, Step, Value, ValueType } from '../ir/ir.ts'
import { closuresOf, mapClosures } from '../ir/optimizers.ts'
import { scanOf } from '../ir/scan.ts'
import { type BuildContext, type Make, makeBuilder } from '../ops/builder.ts'
import { findOp } from '../ops/index.ts'
import type { Operand } from '../ops/op.ts'
import type { TensorType } from '../types/tensor.ts'
import { calledBy } from './functions.ts'
import { backwardScan, type Derived, plainCount } from './gradient/scan.ts'
import type { Pass } from './pass.ts'
import { valuesOf } from './rewrite.ts'
import { isEffect, namesDefined, outputNames } from './values.ts'

/**
 * Spells out each `gradient` as steps: reverse mode over the steps that lead from the one value to the other, by the
 * gradients of the operator table. A call on the way becomes a call of a function derived from it, which takes what the
 * function takes and the gradients of its results, and gives those of its arguments; so functions stay functions.
 *
 *     %y: f32[] = sum %square axis=[] keep=false
 *     %slope: f32[n] = gradient %y, %x      →      %const = const 1   %broadcast = broadcast_to %const   %slope = …
 *
 * Its result is made of the same operators, so it can be differentiated again. Left alone: what `minimize` differentiates,
 * for a tape does that.
 */
export const expandGradients: Pass = {
  name: 'expand-gradients',
  promise: 'No step is a `gradient`.',
  run: program => (hasGradients(program) ? new Expansion(program).run() : program),
}

function hasGradients(program: Program): boolean {
  const inStatements = (list: readonly HostStatement[]): boolean =>
    list.some(item => (item.kind === 'compute' ? item.step.op === 'gradient' : inStatements(within(item))))
  return (
    program.functions.some(func => func.steps.some(step => step.op === 'gradient')) ||
    [...program.steps, ...program.hooks, ...closuresOf(program.optimizers)].some(place =>
      inStatements(place.body),
    )
  )
}

/** What is known at a place where steps are being added: the steps before it and the types of all values. */
interface Place {
  readonly before: Step[]
  readonly types: Map<string, ValueType>
  readonly names: NameSupply
}

/** One run of the pass: the functions with their gradients spelled out, and the derived ones. */
class Expansion {
  readonly #program: Program
  readonly #names = new NameSupply()
  readonly #sources: ReadonlyMap<string, Func>
  readonly #expanded = new Map<string, Func>()
  /** Derived functions by what they are derived from and for. */
  readonly #derived = new Map<string, Derived>()

  constructor(program: Program) {
    this.#program = program
    this.#sources = new Map(program.functions.map(func => [func.name, func]))
    for (const func of program.functions) this.#names.fresh(func.name)
  }

  run(): Program {
    const program = this.#program
    for (const func of program.functions) this.#function(func.name)
    const steps = program.steps.map(step => ({ ...step, body: this.#body(step.body, valuesOf(step)) }))
    const hooks = program.hooks.map(hook => ({ ...hook, body: this.#body(hook.body, []) }))
    const optimizers = mapClosures(program.optimizers, ({ body, inputs }) => this.#body(body, inputs))
    return { ...program, functions: [...this.#expanded.values()], optimizers, steps, hooks }
  }

  /** A function with its own gradients spelled out; what it calls comes first. */
  #function(name: string): Func {
    const known = this.#expanded.get(name)
    if (known) return known
    const func = this.#sources.get(name) ?? bug(`there is no function ${name}`)
    for (const called of calledBy(func.steps)) this.#function(called)
    const place = placeOf(func.params, func.steps.flatMap(outputNames))
    for (const step of func.steps) this.#step(place, step)
    const expanded = { ...func, steps: place.before }
    this.#expanded.set(name, expanded)
    return expanded
  }

  #body(body: readonly HostStatement[], given: readonly Value[]): readonly HostStatement[] {
    return this.#statements(body, placeOf(given, body.flatMap(namesDefined)))
  }

  #statements(body: readonly HostStatement[], place: Place): readonly HostStatement[] {
    return body.flatMap((statement): readonly HostStatement[] => {
      if (statement.kind === 'compute') {
        const from = place.before.length
        this.#step(place, statement.step)
        return place.before.slice(from).map(step => ({ kind: 'compute', step }))
      }
      const branch = (list: readonly HostStatement[]) =>
        this.#statements(list, { ...place, before: [...place.before], types: new Map(place.types) })
      return [mapBlocks(statement, branch)]
    })
  }

  #step(place: Place, step: Step): void {
    if (step.op !== 'gradient') return add(place, step)
    const [y = '', ...xs] = step.inputs
    const from = place.before.length
    const build = buildAt(place, step.origin)
    const make = makeBuilder(build)
    const gradients = this.#reverse(place, [...place.before], build, new Map([[y, make.constant(1)]]), xs)
    for (const [i, x] of xs.entries()) {
      const result = gradients.get(x) ?? zerosLike(make, tensorType(place, x))
      // The gradient has the user's name and exactly the type of what it is by.
      make.reshape([result], { shape: tensorType(place, x).shape }, '#')
      place.before[place.before.length - 1] = { ...place.before.at(-1)!, outputs: [step.outputs[i]!] }
    }
    for (const each of place.before.slice(from)) define(place, each.outputs)
  }

  /** Walks steps backwards and gathers the gradients of the wanted values; those it passes on the way included. */
  #reverse(
    place: Place,
    steps: readonly Step[],
    build: BuildContext,
    seeds: ReadonlyMap<string, Operand>,
    wanted: readonly string[],
  ): ReadonlyMap<string, Operand> {
    const make = makeBuilder(build)
    const gradients = new Map(seeds)
    const onTheWay = reachedFrom(steps, wanted)
    for (const step of steps.toReversed()) {
      if (!step.outputs.some(output => gradients.has(output.name) && onTheWay.has(output.name))) continue
      const found =
        step.op === 'call'
          ? this.#throughCall(place, step, build, gradients, onTheWay)
          : step.op === 'scan'
            ? this.#throughScan(place, step, build, gradients, onTheWay)
            : throughOperator(place, step, make, gradients)
      step.inputs.forEach((input, i) => {
        const gradient = found[i]
        if (gradient === undefined || !(onTheWay.has(input) || wanted.includes(input))) return
        const before = gradients.get(input)
        gradients.set(input, before ? make.add([before, gradient]) : gradient)
      })
    }
    return gradients
  }

  /** Calls the function derived from the one called. */
  #throughCall(
    place: Place,
    step: Step,
    build: BuildContext,
    gradients: ReadonlyMap<string, Operand>,
    onTheWay: ReadonlySet<string>,
  ): readonly (Operand | undefined)[] {
    const func = this.#function(String(step.attrs.func))
    const asked = step.inputs.flatMap((input, i) => (onTheWay.has(input) && isFloat(place, input) ? [i] : []))
    const outputs = step.outputs.flatMap((output, i) => (gradients.has(output.name) ? [i] : []))
    const { func: derived, inputs } = this.#derive(func, asked, outputs)
    if (inputs.length === 0) return []
    const seeds = outputs.map(i => gradients.get(step.outputs[i]!.name)!.name)
    const plain = plainCount(func)
    const results = inputs.map(
      (i): Value => ({ name: build.fresh('gradient'), type: place.types.get(step.inputs[i]!)! }),
    )
    build.steps.push({
      op: 'call',
      inputs: [...step.inputs.slice(0, plain), ...seeds, ...step.inputs.slice(plain)],
      attrs: { func: derived.name, host: step.attrs.host ?? [] },
      outputs: results,
      origin: build.origin(),
    })
    define(place, results)
    return step.inputs.map((_, i) => {
      const result = results[inputs.indexOf(i)]
      return result === undefined || result.type === 'key'
        ? undefined
        : { name: result.name, type: result.type }
    })
  }

  /**
   * A loop backwards: what each round found is gathered by running the loop once more; then the rounds run in the other
   * order, each through the gradient of the body, carry on the gradients of what the loop carries and those of what stays
   * the same, and yield those of the slices.
   */
  #throughScan(
    place: Place,
    step: Step,
    build: BuildContext,
    gradients: ReadonlyMap<string, Operand>,
    onTheWay: ReadonlySet<string>,
  ): readonly (Operand | undefined)[] {
    const scan = scanOf(step) ?? bug('a scan without its attributes')
    const func = this.#function(scan.func)
    const asked = step.inputs.flatMap((input, i) =>
      isFloat(place, input) && (i < scan.carried || onTheWay.has(input)) ? [i] : [],
    )
    const outputs = step.outputs.flatMap((output, i) =>
      (i < scan.carried && isFloat(place, output.name)) || gradients.has(output.name) ? [i] : [],
    )
    const derived = this.#derive(func, asked, outputs)
    if (derived.inputs.length === 0) return []
    const backward = backwardScan(
      { scan, step, func, derived, outputs, type: name => tensorType(place, name) },
      name => this.#names.fresh(name),
      build,
      gradients,
    )
    for (const made of backward.functions) this.#expanded.set(made.name, made)
    for (const made of backward.steps) {
      build.steps.push(made)
      define(place, made.outputs)
    }
    return step.inputs.map((_, i) => backward.gradients.get(i))
  }

  /** The function that gives the gradients of some inputs from those of some results; it computes the function anew. */
  #derive(func: Func, asked: readonly number[], outputs: readonly number[]): Derived {
    const key = `${func.name} by ${asked.join()} from ${outputs.join()}`
    const known = this.#derived.get(key)
    if (known) return known
    const place = placeOf(func.params, func.steps.flatMap(outputNames))
    // What the function shows, it has shown.
    for (const step of func.steps) if (!isEffect(step)) add(place, step)
    const seeds = outputs.map((i): FuncParam => {
      const result = func.results[i]!
      return { name: place.names.fresh(`d_${result}`), type: place.types.get(result)! }
    })
    define(place, seeds)
    const build = buildAt(place, func.origin)
    const wanted = asked.map(i => func.params[i]!.name)
    const given = seedsByValue(
      outputs.map(i => func.results[i]!),
      seeds.map(operand),
      makeBuilder(build),
    )
    const gradients = this.#reverse(place, func.steps, build, given, wanted)
    const inputs = asked.filter(i => gradients.has(func.params[i]!.name))
    const results = inputs.map(i => gradients.get(func.params[i]!.name)!)
    const plain = plainCount(func)
    const made: Func = {
      name: this.#names.fresh(`${func.name}.gradient`),
      declaration: `${func.declaration}.gradient`,
      role: 'fn',
      params: [...func.params.slice(0, plain), ...seeds, ...func.params.slice(plain)],
      hostParams: func.hostParams,
      steps: place.before,
      results: results.map(result => result.name),
      ...(results.length > 1 ? { fields: inputs.map(i => func.params[i]!.name) } : {}),
      origin: func.origin,
    }
    const derived = { func: made, inputs }
    this.#derived.set(key, derived)
    if (inputs.length > 0) this.#expanded.set(made.name, made)
    return derived
  }
}

function placeOf(given: readonly Value[], taken: readonly string[]): Place {
  const place: Place = { before: [], types: new Map(), names: new NameSupply() }
  for (const name of [...given.map(value => value.name), ...taken]) place.names.fresh(name)
  define(place, given)
  return place
}

function define(place: Place, values: readonly Value[]): void {
  for (const value of values) place.types.set(value.name, value.type)
}

function add(place: Place, step: Step): void {
  place.before.push(step)
  define(place, step.outputs)
}

/** New steps go behind those that are there, and come from the step they are made for. */
function buildAt(place: Place, origin: Origin): BuildContext {
  return { steps: place.before, fresh: name => place.names.fresh(name), origin: () => origin }
}

const operand = (value: Value): Operand =>
  value.type === 'key' ? bug(`%${value.name} is a key`) : { name: value.name, type: value.type }

function tensorType(place: Place, name: string): TensorType {
  const type = place.types.get(name)
  return type === undefined || type === 'key' ? bug(`%${name} is no tensor`) : type
}

function isFloat(place: Place, name: string): boolean {
  const type = place.types.get(name)
  return type !== undefined && type !== 'key' && type.dtype === 'f32'
}

/** One value may be several results: it gets the gradients of all of them. */
function seedsByValue(
  results: readonly string[],
  seeds: readonly Operand[],
  make: Make,
): ReadonlyMap<string, Operand> {
  const given = new Map<string, Operand>()
  results.forEach((result, k) => {
    const before = given.get(result)
    given.set(result, before ? make.add([before, seeds[k]!]) : seeds[k]!)
  })
  return given
}

const zerosLike = (make: Make, type: TensorType): Operand =>
  make.full([], { shape: type.shape, value: 0, dtype: 'f32' })

/** The values that depend on some others, themselves included. */
function reachedFrom(steps: readonly Step[], values: readonly string[]): ReadonlySet<string> {
  const reached = new Set(values)
  for (const step of steps) {
    if (step.inputs.some(input => reached.has(input))) for (const name of outputNames(step)) reached.add(name)
  }
  return reached
}

/** The gradients of an operator's inputs, by its entry in the table. */
function throughOperator(
  place: Place,
  step: Step,
  make: Make,
  gradients: ReadonlyMap<string, Operand>,
): readonly (Operand | undefined)[] {
  const op = findOp(step.op)
  const [output] = step.outputs
  const dy = output && gradients.get(output.name)
  if (
    !op ||
    op.grad === 'none' ||
    !output ||
    !dy ||
    step.inputs.some(input => place.types.get(input) === 'key')
  )
    return []
  const inputs = step.inputs.map(name => ({ name, type: tensorType(place, name) }))
  return op.grad(dy, { inputs, outputs: [operand(output)], attrs: step.attrs }, make)
}
