import * as tf from '@tensorflow/tfjs-core'
import { type RunError, withPlace } from './errors.ts'
import { variableOf } from './model.ts'
import type { OptimizerState } from './optimizer.ts'
import { type OperatorPlace, type Probe, withProbe } from './probe.ts'
import { formatNumber } from './report/format.ts'
import type { Session } from './session.ts'
import type { Batch, Trace } from './training.ts'
import { type OpenWindow, Windows } from './windows.ts'

/** Values that a step changes while it runs, as they were before it. */
export interface Held {
  /** Puts them back; what holds them stays. */
  restore(): void
  dispose(): void
}

/** Remembers what a training step moves. */
export function holdState({ parameters, optimizers, averages, training, clocks, graphs }: Session): Held {
  const hold = graphs === undefined ? byClone : byCopy
  const states = [...optimizers.values(), ...averages.map(({ state }) => state)]
  const variables = [
    ...[...parameters.values()].map(variableOf),
    ...states.flatMap(({ slots }) => [...slots.values()].flatMap(slot => [...slot.values()])),
  ]
  const values = variables.map(variable => tf.keep(hold(variable)))
  const counts = states.map(state => holdCounts(state, hold))
  const { vars } = training
  const vs = { ...vars }
  const restoreClocks = clocks.hold()
  return {
    restore() {
      for (const [i, variable] of variables.entries()) tf.tidy(() => variable.assign(tf.clone(values[i]!)))
      for (const each of counts) each.restore()
      if (vars !== undefined) Object.assign(vars, vs)
      restoreClocks()
    },
    dispose() {
      tf.dispose(values)
      for (const each of counts) each.dispose()
    },
  }
}

type Hold = (tensor: tf.Tensor) => tf.Tensor

/** It shares its data, so nothing is copied. */
const byClone: Hold = tensor => tf.clone(tensor)

/** A compiled engine changes numbers where they lie. */
const byCopy: Hold = tensor => tf.mul(tensor, 1)

function holdCounts({ counts, windows }: OptimizerState, hold: Hold): Held {
  const before = new Map(counts)
  const open = new Windows()
  tf.tidy(() => open.restore(windows.contents().map(window => held(window, hold))))
  return {
    restore() {
      for (const [path, count] of before) counts.set(path, count)
      windows.dispose()
      windows.restore(open.contents())
    },
    dispose: () => open.dispose(),
  }
}

function held({ key, calls, terms }: OpenWindow, hold: Hold): OpenWindow {
  const copies = terms.map(({ weight, sums }) => ({
    weight,
    sums: new Map([...sums].map(([path, sum]) => [path, hold(sum)])),
  }))
  return { key, calls, terms: copies }
}

/**
 * The same fault at the operator that first made a number that is not finite: the step runs again, twice, as it ran
 * before, and the second time the operator's inputs are looked at.
 */
export async function located(
  session: Session,
  fault: RunError,
  batches: readonly Batch[],
  repeat: () => Promise<void>,
): Promise<RunError> {
  const seen = await watched(repeat)
  const culprit = culpritOf(seen.nodes)
  if (culprit === undefined) return fault
  if (culprit.place === undefined) {
    const name = nameOf(culprit.tensor, session, batches)
    return withPlace(fault, `${name} holds ${what(culprit)} already`, fault.trace)
  }
  const again = await watched(repeat, culprit.forward)
  const made =
    culprit.direction === 'backward'
      ? `the gradient of \`${culprit.place.operator}\``
      : `\`${culprit.place.operator}\``
  const own = [culprit.place.trace, ...culprit.calls.toReversed()].find(trace => !trace.startsWith('stdlib/'))
  const inside = own === culprit.place.trace ? '' : ` in ${culprit.place.trace}`
  const ranges = again.looked.map(rangeOf).filter(text => text !== '')
  const given = ranges.length === 0 ? '' : `, given ${ranges.join(' and ')}`
  return withPlace(
    fault,
    `${made}${inside} was the first to make ${what(culprit)}${given}`,
    own ?? culprit.place.trace,
  )
}

// ── The repeated step ───────────────────────────────────────────────────────────────────────────────────────────────

/** A tensor of the repeated step, made by an operator or there before. */
interface Node {
  readonly tensor: number
  readonly place: OperatorPlace | undefined
  readonly direction: 'forward' | 'backward'
  /** The index of the operator whose gradient it is, or its own. */
  readonly forward: number
  readonly inputs: readonly number[]
  /** The lines of the calls around it, outermost first. */
  readonly calls: readonly Trace[]
  nan: boolean
  infinite: boolean
}

interface Seen {
  readonly nodes: readonly Node[]
  /** Of the operator that was to be looked at: each input's numbers. */
  readonly looked: readonly (readonly number[])[]
}

async function watched(repeat: () => Promise<void>, look?: number): Promise<Seen> {
  const probe = new AnomalyProbe(look)
  await withProbe(probe, repeat)
  return probe.read()
}

class AnomalyProbe implements Probe {
  readonly #look: number | undefined
  readonly #nodes: Node[] = []
  readonly #byTensor = new Map<number, number>()
  readonly #byPlace = new Map<OperatorPlace, number>()
  readonly #calls: Trace[] = []
  /** Two numbers of each node: how many NaN it has, and 0 or NaN where one is not finite. */
  readonly #flags: tf.Tensor[] = []
  #looked: tf.Tensor[] = []

  constructor(look: number | undefined) {
    this.#look = look
  }

  part<T>(_part: string, _phase: string | undefined, work: () => T): T {
    return work()
  }

  call<T>(_name: string, trace: Trace, work: () => T): T {
    this.#calls.push(trace)
    try {
      return work()
    } finally {
      this.#calls.pop()
    }
  }

  operator<T extends tf.Tensor>(place: OperatorPlace, work: () => T): T {
    const inputs = place.inputs.map(input => this.#given(input))
    const result = work()
    const index = this.#nodes.length
    this.#byPlace.set(place, index)
    if (index === this.#look) this.#looked = place.inputs.map(input => tf.keep(tf.clone(input)))
    this.#add(result, place, 'forward', index, inputs)
    return result
  }

  gradient(place: OperatorPlace, dys: readonly tf.Tensor[], work: () => tf.Tensor): tf.Tensor {
    const inputs = dys.map(input => this.#given(input))
    const result = work()
    this.#add(result, place, 'backward', this.#byPlace.get(place) ?? -1, inputs)
    return result
  }

  #given(tensor: tf.Tensor): number {
    return this.#byTensor.get(tensor.id) ?? this.#add(tensor, undefined, 'forward', -1, [])
  }

  #add(
    tensor: tf.Tensor,
    place: OperatorPlace | undefined,
    direction: Node['direction'],
    forward: number,
    inputs: readonly number[],
  ): number {
    const index = this.#nodes.length
    const calls = [...this.#calls]
    this.#nodes.push({
      tensor: tensor.id,
      place,
      direction,
      forward,
      inputs,
      calls,
      nan: false,
      infinite: false,
    })
    this.#byTensor.set(tensor.id, index)
    this.#flags.push(tf.keep(tf.tidy(() => flagsOf(tensor))))
    return index
  }

  async read(): Promise<Seen> {
    for (const [i, flags] of this.#flags.entries()) {
      const [nan = 0, rest = 0] = await flags.data()
      const node = this.#nodes[i]
      if (node !== undefined) Object.assign(node, { nan: nan > 0, infinite: Number.isNaN(rest) && nan === 0 })
    }
    const looked = await Promise.all(this.#looked.map(async tensor => [...(await tensor.data())]))
    tf.dispose([...this.#flags, ...this.#looked])
    return { nodes: this.#nodes, looked }
  }
}

function flagsOf(tensor: tf.Tensor): tf.Tensor {
  if (tensor.dtype !== 'float32' || tensor.size === 0) return tf.zeros([2])
  const nan = tf.sum(tf.cast(tf.notEqual(tensor, tensor), 'float32'))
  return tf.stack([nan, tf.sum(tf.mul(tensor, 0))])
}

// ── The culprit ─────────────────────────────────────────────────────────────────────────────────────────────────────

/**
 * The first to make a number that is not finite, of those from which the last such number has come. An infinity that
 * leads nowhere, as in a mask, is no fault; what hands one on has not made it.
 */
function culpritOf(nodes: readonly Node[]): Node | undefined {
  const isBad = (node: Node | undefined) => node !== undefined && (node.nan || node.infinite)
  const backward = nodes.find(node => node.direction === 'backward' && isBad(node))
  const last = nodes.findLastIndex(
    node => node.direction === 'forward' && node.place !== undefined && isBad(node),
  )
  const end = nodes[last]
  if (end === undefined) return backward
  const reached = new Set([last])
  for (const index of reached)
    for (const input of nodes[index]?.inputs ?? []) if (isBad(nodes[input])) reached.add(input)
  const origins = [...reached].sort((a, b) => a - b).flatMap(index => nodes[index] ?? [])
  return origins.find(node => node.place !== undefined && makes(node, nodes)) ?? origins[0]
}

function makes({ nan, inputs }: Node, nodes: readonly Node[]): boolean {
  const taken = inputs.flatMap(index => nodes[index] ?? [])
  if (taken.length === 0) return false
  return nan ? !taken.some(input => input.nan) : !taken.some(input => input.nan || input.infinite)
}

function what({ nan }: Node): string {
  return nan ? 'a NaN' : 'an infinity'
}

/** Parameters and fields of the batch have names; what else was there before has none. */
function nameOf(id: number, { parameters }: Session, batches: readonly Batch[]): string {
  const parameter = [...parameters.values()].find(state => variableOf(state).id === id)
  if (parameter !== undefined) return `\`${parameter.path}\``
  const field = batches.flatMap(({ fields }) => Object.entries(fields)).find(([, tensor]) => tensor.id === id)
  return field === undefined ? 'a value from before' : `the field \`${field[0]}\` of the batch`
}

/** `numbers from -0.31 to 2.5`, or the only one. */
function rangeOf(numbers: readonly number[]): string {
  if (numbers.length === 0) return ''
  const low = numbers.reduce((least, x) => Math.min(least, x), Number.POSITIVE_INFINITY)
  const high = numbers.reduce((most, x) => Math.max(most, x), Number.NEGATIVE_INFINITY)
  if (Number.isNaN(low)) return 'a NaN among others'
  return low === high ? formatNumber(low) : `numbers from ${formatNumber(low)} to ${formatNumber(high)}`
}
