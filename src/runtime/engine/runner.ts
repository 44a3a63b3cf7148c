import * as tf from '@tensorflow/tfjs-core'
import { bug } from '../../base/bug.ts'
import type { GraphSource, GraphTensor, LoweredGraph, Service } from '../../base/graphs.ts'
import { RunError } from '../errors.ts'
import { nodeTimes, part } from '../probe.ts'
import type { Key } from '../random.ts'
import type { WindowArithmetic } from '../windows.ts'
import { cachedGraph, type ReadyGraph } from './cachedGraph.ts'
import { drawn, keyBelow } from './draws.ts'
import { graphFault, leftFault, wouldLeave } from './fault.ts'
import { GraphCache } from './graphCache.ts'
import { graphWindows } from './graphWindows.ts'
import type { OnDevice } from './onDevice.ts'
import {
  type DeviceTensor,
  type Feed,
  type HostFeed,
  type Numbers,
  type Optimization,
  Ort,
  type OrtSession,
} from './ort.ts'

/** Variants of one graph that are kept; each is a batch of other sizes. */
const mostVariants = 16

/** A graph for arguments of one list of shapes. */
interface Variant {
  readonly shapes: readonly (readonly number[] | undefined)[]
  readonly lowered: LoweredGraph
  readonly session: OrtSession
  /** Numbers of the host and random draws stand here, a tensor for each input, from step to step: new memory costs more than draws. */
  readonly cells: Map<number, HostFeed>
}

type Argument = tf.Tensor | Key

/** Runs the graphs of a program: each is lowered when a batch of its sizes first comes up. */
export class GraphRunner {
  readonly source: GraphSource
  readonly #ort: Ort
  /** Where outputs are written, by graph. */
  readonly #bound = new Map<string, Map<number, tf.Tensor>>()
  /** By graph, the newest first. */
  readonly #variants = new Map<string, Variant[]>()
  /** What is done between graphs, as text, and what does it. */
  readonly #services = new Map<string, Variant | 'none'>()
  /** By the data of gradients: the sum of squares that those of one `minimize` share. */
  readonly #squares = new WeakMap<object, { readonly squares: number }>()
  /** By the data of variables, and by the memory of other numbers: batches take the same in turns. */
  readonly #feeds = new WeakMap<object, Feed>()
  readonly #channelBlock: number | undefined
  /** What stays on the device; absent where graphs run on the processor. */
  #device: OnDevice | undefined
  readonly #cache: GraphCache | undefined

  private constructor(ort: Ort, source: GraphSource) {
    this.#ort = ort
    this.source = source
    const onProcessor = source.provider === 'cpu'
    this.#channelBlock = onProcessor ? ort.channelBlock(source.blockProbe) : undefined
    // A model that was optimised for a device can't be told from one for another.
    this.#cache = onProcessor ? GraphCache.open() : undefined
  }

  static async start(source: GraphSource): Promise<GraphRunner> {
    const runner = new GraphRunner(Ort.load(source.provider), source)
    if (source.provider !== 'cpu') {
      const { OnDevice } = await import('./onDevice.ts')
      runner.#device = new OnDevice(tensor => runner.#download(tensor))
    }
    return runner
  }

  /** How many processors a graph runs on. */
  get threads(): number {
    return this.#ort.threads
  }

  /** Has an output of a graph written into this tensor from now on, which the output then is. */
  bind(graph: string, output: number, tensor: tf.Tensor): void {
    const bound = this.#bound.get(graph) ?? new Map<number, tf.Tensor>()
    this.#bound.set(graph, bound.set(output, tensor))
  }

  /** What windows of an optimizer compute; undefined where it is done tensor by tensor. */
  windows(optimizer: string): WindowArithmetic | undefined {
    return this.source.moves ? graphWindows(this, optimizer) : undefined
  }

  /** Does what no graph of the program does; undefined where it can't be a graph. */
  serve(
    service: Service,
    args: readonly tf.Tensor[],
    numbers: readonly number[],
  ): readonly tf.Tensor[] | undefined {
    if (args.length === 0) return []
    const variant = this.#serviceFor(service)
    return variant === 'none' ? undefined : this.#run(`${service.kind} graph`, variant, args, numbers)
  }

  /** The sum of the squares of the gradients of a `minimize`, as the graph has computed it that gave them; NaN where none has. */
  squaresOf(gradients: readonly tf.Tensor[]): number {
    const sums = new Set(gradients.map(({ dataId }) => this.#squares.get(dataId)))
    return [...sums].reduce<number>((total, sum) => total + (sum?.squares ?? Number.NaN), 0)
  }

  compute(graph: string, args: readonly Argument[], numbers: readonly number[]): readonly tf.Tensor[] {
    return this.#run(graph, this.#variant(graph, args), args, numbers)
  }

  #run(
    graph: string,
    variant: Variant,
    args: readonly Argument[],
    numbers: readonly number[],
  ): readonly tf.Tensor[] {
    const { lowered, session } = variant
    const feeds = lowered.inputs.map((input, i) => this.#feed(variant, input, i, args, numbers))
    const run = <T>(work: () => T): T => part('graph', () => attempt(graph, work))
    const bound = this.#bound.get(graph)
    const tensors =
      this.#device === undefined
        ? run(() => session.run(feeds)).map(
            (numbers, i) => bound?.get(i) ?? tensorOf(lowered.outputs[i]!, numbers),
          )
        : keptBy(
            this.#device,
            lowered,
            run(() => session.runKeeping(feeds)),
          )
    for (const { gradients, squares } of lowered.sums ?? []) {
      const sum = { squares: Number(tensors[squares]?.dataSync()[0]) }
      for (const place of gradients) this.#squares.set(tensors[place]!.dataId, sum)
    }
    return tensors
  }

  #feed(
    { cells }: Variant,
    input: LoweredGraph['inputs'][number],
    place: number,
    args: readonly Argument[],
    numbers: readonly number[],
  ): Feed {
    const { source } = input
    if (source.kind === 'tensor') return this.#feedOf(tensorIn(args, source.index), input)
    const cell = cells.get(place)
    if (source.kind === 'number') {
      const feed = cell ?? this.#ort.feed(input, new Float32Array(1))
      feed.numbers[0] = numbers[source.index] ?? Number.NaN
      if (cell === undefined) cells.set(place, feed)
      return feed
    }
    const key = keyBelow(keyIn(args, source.key), source.places, numbers)
    const values = drawn(source.draw, key, input, cell?.numbers)
    if (cell?.numbers === values) return cell
    const feed = this.#ort.feed(input, values)
    cells.set(place, feed)
    return feed
  }

  #feedOf(tensor: tf.Tensor, input: GraphTensor): Feed {
    const held = this.#device?.find(tensor)
    if (held !== undefined && sameShape(held.shape, input.shape)) return held
    const key = tensor instanceof tf.Variable ? tensor.dataId : tensor.dataSync()
    const known = this.#feeds.get(key)
    if (known !== undefined && sameShape(known.shape, input.shape)) return known
    const numbers = tensor.dataSync() as Numbers
    const stays = this.#device !== undefined && tensor instanceof tf.Variable
    const feed = stays ? this.#uploaded(input, numbers) : this.#ort.feed(input, numbers)
    this.#feeds.set(key, feed)
    return feed
  }

  #variant(graph: string, args: readonly Argument[]): Variant {
    const variants = this.#variants.get(graph) ?? []
    const known = variants.findIndex(({ shapes }) => fit(shapes, args))
    const variant = variants[known] ?? this.#lower(graph, args)
    if (known === 0) return variant
    const others = variants.filter(each => each !== variant)
    for (const old of others.splice(mostVariants - 1)) old.session.dispose()
    this.#variants.set(graph, [variant, ...others])
    return variant
  }

  #serviceFor(service: Service, keeps: Keeping = 'all'): Variant | 'none' {
    const key = `${keeps} ${JSON.stringify(service)}`
    const known = this.#services.get(key)
    if (known !== undefined) return known
    const lowered = this.source.serve(service)
    const made = lowered === undefined ? 'none' : this.#ready(`${service.kind} graph`, lowered, [], keeps)
    this.#services.set(key, made)
    return made
  }

  #copying({ dtype, shape }: Pick<GraphTensor, 'dtype' | 'shape'>, keeps: Keeping): Variant {
    const made = this.#serviceFor({ kind: 'copy', dtype, shape }, keeps)
    return made === 'none' ? bug('a tensor that can not be copied') : made
  }

  #download(tensor: DeviceTensor): Numbers {
    const [numbers] = attempt('copy', () => this.#copying(tensor, 'nothing').session.run([tensor]))
    return numbers ?? bug('a copy of nothing')
  }

  /** On the device, for as long as somebody holds on to what it is known by. */
  #uploaded(input: GraphTensor, numbers: Numbers): Feed {
    const feed = this.#ort.feed(input, numbers)
    const [tensor] = attempt('copy', () => this.#copying(input, 'all').session.runKeeping([feed]))
    return tensor !== undefined && 'address' in tensor ? tensor : bug('a copy that went elsewhere')
  }

  #lower(graph: string, args: readonly Argument[]): Variant {
    const shapes = args.map(arg => (arg instanceof tf.Tensor ? [...arg.shape] : undefined))
    const channelBlock = this.#channelBlock
    const ready = cachedGraph(
      this.#cache,
      () => ({ fingerprint: this.source.fingerprint(graph), shapes, channelBlock }),
      () => this.#lowered(graph, shapes),
      (lowered, optimization) => this.#session(graph, lowered, 'tensors', optimization),
    )
    return this.#placed(graph, ready, shapes)
  }

  #ready(graph: string, lowered: LoweredGraph, shapes: Variant['shapes'], keeps: Keeping): Variant {
    return this.#placed(graph, { lowered, session: this.#session(graph, lowered, keeps) }, shapes)
  }

  #placed(graph: string, { lowered, session }: ReadyGraph, shapes: Variant['shapes']): Variant {
    for (const [output, tensor] of this.#bound.get(graph) ?? [])
      session.bind(output, this.#ort.feed(lowered.outputs[output]!, tensor.dataSync() as Numbers))
    return { shapes, lowered, session, cells: new Map() }
  }

  #lowered(graph: string, shapes: Variant['shapes']): LoweredGraph {
    try {
      return this.source.lower(graph, shapes, this.#channelBlock)
    } catch (error) {
      throw error instanceof Error && error.name === 'NotLowered' ? graphFault(graph, error) : error
    }
  }

  #session(graph: string, lowered: LoweredGraph, keeps: Keeping, optimization?: Optimization): OrtSession {
    const kept = this.#device === undefined ? [] : lowered.outputs.flatMap(staysOnDevice[keeps])
    return attempt(graph, () => {
      try {
        return this.#ort.session(lowered, { kept: new Set(kept), optimization, times: nodeTimes() })
      } catch (error) {
        const { provider } = this.source
        if (!wouldLeave(error) || provider === 'cpu') throw error
        throw leftFault(graph, provider, this.#ort.leftToProcessor(lowered))
      }
    })
  }

  dispose(): void {
    this.#device?.settle()
    for (const variant of [...this.#variants.values()].flat()) variant.session.dispose()
    this.#variants.clear()
    for (const service of this.#services.values()) if (service !== 'none') service.session.dispose()
    this.#services.clear()
    for (const bound of this.#bound.values()) for (const tensor of bound.values()) tensor.dispose()
    this.#bound.clear()
  }
}

/** Which outputs stay on the device. A single number is awaited with the graph that gives it: most are there to be told. */
const staysOnDevice = {
  all: (_: GraphTensor, place: number) => [place],
  tensors: ({ shape }: GraphTensor, place: number) => (shape.length === 0 ? [] : [place]),
  nothing: () => [],
}

type Keeping = keyof typeof staysOnDevice

function keptBy(
  device: OnDevice,
  { outputs }: LoweredGraph,
  results: readonly (Numbers | DeviceTensor)[],
): readonly tf.Tensor[] {
  return results.map((result, i) =>
    'address' in result ? device.tensorOf(outputs[i]!, result) : tensorOf(outputs[i]!, result),
  )
}

function attempt<T>(graph: string, run: () => T): T {
  try {
    return run()
  } catch (error) {
    throw error instanceof RunError ? error : graphFault(graph, error)
  }
}

function tensorIn(args: readonly Argument[], index: number): tf.Tensor {
  const arg = args[index]
  return arg instanceof tf.Tensor ? arg : bug(`argument ${index} of a graph is no tensor`)
}

function keyIn(args: readonly Argument[], index: number): Key {
  const arg = args[index]
  return arg === undefined || arg instanceof tf.Tensor ? bug(`argument ${index} of a graph is no key`) : arg
}

function fit(shapes: Variant['shapes'], args: readonly Argument[]): boolean {
  return shapes.every((shape, i) => {
    const arg = args[i]
    return shape === undefined || (arg instanceof tf.Tensor && sameShape(shape, arg.shape))
  })
}

function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((size, i) => size === b[i])
}

const dtypes = { f32: 'float32', i32: 'int32', bool: 'bool' } as const

function tensorOf({ dtype, shape }: GraphTensor, numbers: Numbers): tf.Tensor {
  return tf.tensor(numbers, [...shape], dtypes[dtype])
}
