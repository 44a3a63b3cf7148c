import * as tf from '@tensorflow/tfjs-core'
import type { Trace } from './training.ts'

/** The parts of a run between which its time is told apart. */
export type Part =
  | 'start'
  | 'batch'
  | 'data'
  | 'graph'
  | 'forward'
  | 'backward'
  | 'update'
  | 'metrics'
  | 'hooks'
  | 'logging'
  | 'saving'
  | 'reporting'

/** An operator of the program, at its `.ltm` line. */
export interface OperatorPlace {
  readonly operator: string
  /** `digits.ltm:12:9`. */
  readonly trace: Trace
  /** The tensors that it takes. */
  readonly inputs: readonly tf.Tensor[]
}

/** What looks into a run while it goes on. It changes nothing. */
export interface Probe {
  part<T>(part: Part, phase: string | undefined, work: () => T): T
  operator<T extends tf.Tensor>(place: OperatorPlace, work: () => T): T
  /** The gradient of an operator by one of its inputs, from those of its outputs. */
  gradient(place: OperatorPlace, dys: readonly tf.Tensor[], work: () => tf.Tensor): tf.Tensor
  call<T>(name: string, trace: Trace, work: () => T): T
  /** Where a session of graphs that begins now has to write when its nodes ran: the beginning of a file's name. */
  nodeTimes?(): string
}

/** The functions of a generated program have no run to ask, and a process has one run at a time. */
let current: Probe | undefined

/** Has a probe look on while something runs. */
export async function withProbe<T>(probe: Probe, work: () => Promise<T>): Promise<T> {
  const before = current
  current = probe
  try {
    return await work()
  } finally {
    current = before
  }
}

/** Where a session of graphs that begins now has to write when its nodes ran, if anyone wants to know. */
export function nodeTimes(): string | undefined {
  return current?.nodeTimes?.()
}

/** A part of the run, for whoever looks on. */
export function part<T>(name: Part, work: () => T, phase?: string): T {
  return current === undefined ? work() : current.part(name, phase, work)
}

/** One operator of a program that is emitted to be watched. */
export function watchedOperator<T extends tf.Tensor>(
  operator: string,
  trace: Trace,
  inputs: readonly tf.Tensor[],
  work: () => T,
): T {
  const probe = current
  if (probe === undefined) return work()
  const place = { operator, trace, inputs }
  const tape = tf.engine().state.activeTape ?? []
  const before = tape.length
  const result = probe.operator(place, work)
  for (const node of tape.slice(before)) {
    const gradient = node.gradient
    if (gradient === undefined) continue
    node.gradient = dys => {
      const parts = Object.entries(gradient(dys))
      // An output that nothing reads has no gradient, which the engine's type does not say.
      const given = dys.filter((dy: tf.Tensor | null) => dy !== null)
      return Object.fromEntries(
        parts.map(([input, make]) => [input, () => probe.gradient(place, given, make)]),
      )
    }
  }
  return result
}

/** A call of a function of such a program. */
export function watchedCall<T>(name: string, trace: Trace, work: () => T): T {
  return current === undefined ? work() : current.call(name, trace, work)
}
