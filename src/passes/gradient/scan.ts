import { bug } from '../../base/bug.ts'
import { NameSupply } from '../../base/fresh.ts'
import type { Attr, Func, FuncParam, Step, Value } from '../../ir/ir.ts'
import { roundsOf, type Scan } from '../../ir/scan.ts'
import { type BuildContext, makeBuilder } from '../../ops/builder.ts'
import type { Operand } from '../../ops/op.ts'
import type { TensorType } from '../../types/tensor.ts'

/** A function that gives gradients of some inputs of another one; no gradient flows to the others. */
export interface Derived {
  readonly func: Func
  /** Which inputs, in the order of its results. */
  readonly inputs: readonly number[]
}

/** Parameters that are neither members of a module nor a key come first. */
export function plainCount(func: Func): number {
  const at = func.params.findIndex(param => param.member !== undefined || param.type === 'key')
  return at < 0 ? func.params.length : at
}

/** A loop to be gone through backwards. */
export interface ForwardScan {
  readonly scan: Scan
  readonly step: Step
  /** Its body, and the gradient of the body. */
  readonly func: Func
  readonly derived: Derived
  /** The results of the body whose gradients the gradient of the body takes. */
  readonly outputs: readonly number[]
  readonly type: (name: string) => TensorType
}

export interface BackwardScan {
  readonly functions: readonly Func[]
  readonly steps: readonly Step[]
  /** By the place of the input. */
  readonly gradients: ReadonlyMap<number, Operand>
}

/**
 * The steps that give the gradients of a loop's inputs. With h the carried values, x a slice, w what stays the same, y a
 * yield and f the body, (h', y) = f(h, x, w):
 *
 *     hs = scan f                              h before each round, stacked on axis 0
 *     dh, dw, dxs = scan g, backwards          g: (dh, dw; h, x, dy; w) → (∂h, dw + ∂w; ∂x), with ∂ = derived(h, x, w, dh, dy)
 */
export function backwardScan(
  forward: ForwardScan,
  freshFunction: (name: string) => string,
  build: BuildContext,
  gradients: ReadonlyMap<string, Operand>,
): BackwardScan {
  const { scan, step, func, derived } = forward
  const saving = savingFunction(func, scan, freshFunction)
  const saved = saveStep(forward, saving, build)
  const places = placesOf(forward)
  const round = roundFunction(forward, places, freshFunction)
  const make = makeBuilder(build)
  const zeros = (type: TensorType): Operand =>
    make.full([], { shape: type.shape, value: 0, dtype: type.dtype })
  const ends = places.carried.map(i => {
    const { name } = step.outputs[i]!
    return (gradients.get(name) ?? zeros(forward.type(name))).name
  })
  const sums = places.fixed.map(i => zeros(forward.type(step.inputs[i]!)).name)
  const yields = places.yields.map(i => gradients.get(step.outputs[i]!.name)!.name)
  const plain = plainCount(func)
  const slices = step.inputs.slice(scan.carried, scan.carried + scan.along.length)
  const result = (i: number): Value => ({
    name: build.fresh('gradient'),
    type: forward.type(step.inputs[i]!),
  })
  const given = [...places.carried, ...places.fixed, ...places.slices]
  const results = given.map(result)
  const attrs: Record<string, Attr> = {
    func: round.name,
    host: step.attrs.host ?? [],
    carried: places.carried.length + places.fixed.length,
    along: [
      ...saved.stacked.map(() => 0),
      ...scan.along,
      ...places.yields.map(i => scan.stack[i - scan.carried]!),
    ],
    stack: places.slices.map(i => scan.along[i - scan.carried]!),
    reverse: !scan.reverse,
  }
  const back: Step = {
    op: 'scan',
    inputs: [
      ...ends,
      ...sums,
      ...saved.stacked.map(value => value.name),
      ...slices,
      ...yields,
      ...step.inputs.slice(scan.carried + scan.along.length, plain),
      ...step.inputs.slice(plain),
    ],
    attrs,
    outputs: results,
    origin: build.origin(),
  }
  return {
    functions: [saving, round],
    steps: [saved.step, back],
    gradients: new Map(
      given.flatMap((i, k) => (derived.inputs.includes(i) ? [[i, operand(results[k]!)] as const] : [])),
    ),
  }
}

/** Where gradients go: to what is carried, to what stays the same, to slices; and where they come from besides, the yields. */
interface Places {
  readonly carried: readonly number[]
  readonly fixed: readonly number[]
  readonly slices: readonly number[]
  readonly yields: readonly number[]
}

function placesOf({ scan, derived, outputs }: ForwardScan): Places {
  const behind = scan.carried + scan.along.length
  return {
    carried: outputs.filter(i => i < scan.carried),
    fixed: derived.inputs.filter(i => i >= behind),
    slices: derived.inputs.filter(i => i >= scan.carried && i < behind),
    yields: outputs.filter(i => i >= scan.carried),
  }
}

/** The body that yields what it found as well. */
function savingFunction(func: Func, { carried }: Scan, fresh: (name: string) => string): Func {
  const found = func.params.slice(0, carried).map(param => param.name)
  return { ...func, name: fresh(`${func.name}.saving`), results: [...func.results, ...found] }
}

function saveStep(
  { scan, step, type }: ForwardScan,
  saving: Func,
  build: BuildContext,
): { readonly step: Step; readonly stacked: readonly Value[] } {
  const first = step.inputs[scan.carried]
  const rounds = roundsOf(scan, first === undefined ? undefined : type(first)) ?? bug('a scan along nothing')
  const stacked = step.inputs.slice(0, scan.carried).map((start): Value => {
    const { dtype, shape } = type(start)
    return { name: build.fresh('saved'), type: { dtype, shape: [rounds, ...shape] } }
  })
  const again = step.outputs.map(output => ({ ...output, name: build.fresh(output.name) }))
  const attrs = { ...step.attrs, func: saving.name, stack: [...scan.stack, ...stacked.map(() => 0)] }
  return {
    step: { ...step, attrs, outputs: [...again, ...stacked], origin: build.origin() },
    stacked,
  }
}

/** One round backwards. */
function roundFunction(forward: ForwardScan, places: Places, fresh: (name: string) => string): Func {
  const { scan, func, derived, outputs } = forward
  const names = new NameSupply()
  for (const param of func.params) names.fresh(param.name)
  const like = (name: string, { type }: Value): FuncParam => ({ name: names.fresh(name), type })
  const plain = plainCount(func)
  const resultValue = (i: number): Value => ({
    name: func.results[i]!,
    type: i < scan.carried ? func.params[i]!.type : resultType(func, i),
  })
  const seeds = new Map(outputs.map(i => [i, like(`d_${func.results[i]}`, resultValue(i))] as const))
  const sums = places.fixed.map(i => like(`sum_${func.params[i]!.name}`, func.params[i]!))
  const steps: Step[] = []
  const build: BuildContext = { steps, fresh: name => names.fresh(name), origin: () => func.origin }
  const make = makeBuilder(build)
  const found = derived.inputs.map(
    (i): Value => ({ name: names.fresh('gradient'), type: func.params[i]!.type }),
  )
  steps.push({
    op: 'call',
    inputs: [
      ...func.params.slice(0, plain).map(param => param.name),
      ...outputs.map(i => seeds.get(i)!.name),
      ...func.params.slice(plain).map(param => param.name),
    ],
    attrs: {
      func: derived.func.name,
      host: func.hostParams.map(name => ({ kind: 'argument', name }) as const),
    },
    outputs: found,
    origin: func.origin,
  })
  const gradientOf = (i: number): Operand => {
    const value = found[derived.inputs.indexOf(i)]
    if (value) return operand(value)
    const { shape, dtype } = operand(func.params[i]!).type
    return make.full([], { shape, value: 0, dtype })
  }
  const carried = places.carried.map(gradientOf)
  const added = places.fixed.map((i, k) => make.add([operand(sums[k]!), gradientOf(i)]))
  const slices = places.slices.map(gradientOf)
  const inner = func.params.slice(0, scan.carried + scan.along.length)
  return {
    name: fresh(`${func.name}.gradient`),
    declaration: `${func.declaration}.gradient`,
    role: 'scan',
    params: [
      ...places.carried.map(i => seeds.get(i)!),
      ...sums,
      ...inner,
      ...places.yields.map(i => seeds.get(i)!),
      ...func.params.slice(inner.length),
    ],
    hostParams: func.hostParams,
    steps,
    results: [...carried, ...added, ...slices].map(result => result.name),
    origin: func.origin,
  }
}

function resultType(func: Func, i: number): Value['type'] {
  const name = func.results[i]
  const value = [...func.params, ...func.steps.flatMap(step => step.outputs)].find(each => each.name === name)
  return value?.type ?? bug(`${func.name} has no result ${i}`)
}

const operand = (value: Value): Operand =>
  value.type === 'key' ? bug(`%${value.name} is a key`) : { name: value.name, type: value.type }
