import type * as tf from '@tensorflow/tfjs-core'
import { GraphTimes } from './graphTimes.ts'
import type { OperatorPlace, Part, Probe } from './probe.ts'
import type { Trace } from './training.ts'

/** Where the time of a run went, in seconds. */
export interface Profile {
  readonly seconds: number
  /** By phase and part, without the parts within it; `batch` is what is left of its batches. */
  readonly parts: readonly PartTime[]
  /** By line and operator, the longest first. */
  readonly operators: readonly OperatorTime[]
}

export interface PartTime {
  readonly phase: string
  readonly part: Part
  readonly seconds: number
  readonly calls: number
}

export interface OperatorTime {
  readonly line: Trace
  readonly operator: string
  readonly calls: number
  readonly forward: number
  readonly backward: number
}

/** An event of the trace format that Chrome and Perfetto read; times in microseconds. */
export interface TraceEvent {
  readonly name: string
  readonly cat: string
  readonly ph: 'X'
  readonly ts: number
  readonly dur: number
  readonly pid: 1
  readonly tid: 1
  readonly args?: Readonly<Record<string, string>>
}

/** So many events a viewer still opens at once: the first of a run, which are like those that follow. */
const mostEvents = 100_000

/** Outside all phases. */
const between = 'between'

interface Frame {
  readonly phase: string
  /** Milliseconds of the parts within it. */
  inner: number
}

/**
 * Measures the parts of a run and its operators. A backend that computes later, as WebGPU does, is only given its work
 * where an operator stands, and waited for where a loss is read.
 */
export class Profiler implements Probe {
  readonly #start = performance.now()
  readonly #parts = new Map<string, { phase: string; part: Part; seconds: number; calls: number }>()
  readonly #operators = new Map<
    string,
    { line: Trace; operator: string; calls: number; forward: number; backward: number }
  >()
  readonly #frames: Frame[] = []
  readonly events: TraceEvent[] = []
  #graphTimes: GraphTimes | undefined

  part<T>(part: Part, phase: string | undefined, work: () => T): T {
    const started = performance.now()
    const frame = { phase: phase ?? this.#frames.at(-1)?.phase ?? between, inner: 0 }
    this.#frames.push(frame)
    const end = () => this.#close(part, frame, started)
    let result: T
    try {
      result = work()
    } catch (error) {
      end()
      throw error
    }
    if (!(result instanceof Promise)) {
      end()
      return result
    }
    // The promise that is handed on is the one that was given, as far as its reader can tell.
    void result.then(end, end)
    return result
  }

  operator<T extends tf.Tensor>(place: OperatorPlace, work: () => T): T {
    return this.#measure(place, 'forward', work)
  }

  gradient(place: OperatorPlace, _dys: readonly tf.Tensor[], work: () => tf.Tensor): tf.Tensor {
    return this.#measure(place, 'backward', work)
  }

  call<T>(name: string, trace: Trace, work: () => T): T {
    const started = performance.now()
    try {
      return work()
    } finally {
      this.#trace(name, 'call', started, performance.now() - started, { line: trace })
    }
  }

  nodeTimes(): string {
    this.#graphTimes ??= new GraphTimes()
    return this.#graphTimes.prefix()
  }

  /** What has been measured so far; of graphs, those whose sessions have ended. */
  profile(): Profile {
    for (const { operator, line, started, took } of this.#graphTimes?.take() ?? [])
      this.#count({ line, operator }, 'forward', started, took)
    this.#graphTimes = undefined
    const operators = [...this.#operators.values()]
    return {
      seconds: (performance.now() - this.#start) / 1000,
      parts: [...this.#parts.values()],
      operators: operators.sort((a, b) => b.forward + b.backward - a.forward - a.backward),
    }
  }

  #close(part: Part, frame: Frame, started: number): void {
    const took = performance.now() - started
    this.#frames.splice(this.#frames.lastIndexOf(frame), 1)
    const outer = this.#frames.at(-1)
    if (outer !== undefined) outer.inner += took
    const key = `${frame.phase} ${part}`
    const entry = this.#parts.get(key) ?? { phase: frame.phase, part, seconds: 0, calls: 0 }
    entry.seconds += (took - frame.inner) / 1000
    entry.calls += 1
    this.#parts.set(key, entry)
    this.#trace(part === 'batch' ? `${frame.phase} batch` : part, 'part', started, took)
  }

  #measure<T>({ operator, trace }: OperatorPlace, direction: 'forward' | 'backward', work: () => T): T {
    const started = performance.now()
    const result = work()
    const took = performance.now() - started
    this.#count({ line: trace.replace(/:\d+$/, ''), operator }, direction, started, took)
    return result
  }

  #count(
    { line, operator }: Pick<OperatorTime, 'line' | 'operator'>,
    direction: 'forward' | 'backward',
    started: number,
    took: number,
  ): void {
    const key = `${line} ${operator}`
    const entry = this.#operators.get(key) ?? { line, operator, calls: 0, forward: 0, backward: 0 }
    entry[direction] += took / 1000
    if (direction === 'forward') entry.calls += 1
    this.#operators.set(key, entry)
    const name = direction === 'forward' ? operator : `gradient of ${operator}`
    this.#trace(name, direction, started, took, { line })
  }

  #trace(name: string, cat: string, started: number, took: number, args?: TraceEvent['args']): void {
    if (this.events.length >= mostEvents) return
    const ts = (started - this.#start) * 1000
    this.events.push({
      name,
      cat,
      ph: 'X',
      ts,
      dur: took * 1000,
      pid: 1,
      tid: 1,
      ...(args !== undefined && { args }),
    })
  }
}
