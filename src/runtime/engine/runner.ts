import * as tf from '@tensorflow/tfjs-core'
import { bug } from '../../base/bug.ts'
import type { GraphSource, GraphTensor, LoweredGraph, Service } from '../../base/graphs.ts'
import type { Key } from '../random.ts'
import type { WindowArithmetic } from '../windows.ts'
import { drawn, keyBelow } from './draws.ts'
import { graphFault } from './fault.ts'
import { graphWindows } from './graphWindows.ts'
import { type Feed, type Numbers, Ort, type OrtSession } from './ort.ts'

/** Variants of one graph that are kept; each is a batch of other sizes. */
const mostVariants = 16

/** A graph for arguments of one list of shapes. */
interface Variant {
  readonly shapes: readonly (readonly number[] | undefined)[]
  readonly lowered: LoweredGraph
  readonly session: OrtSession
  /** Numbers of the host and random draws stand here, a tensor for each input, from step to step: new memory costs more than draws. */
  readonly cells: Map<number, Feed>
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

  private constructor(ort: Ort, source: GraphSource) {
    this.#ort = ort
    this.source = source
    this.#channelBlock = ort.channelBlock(source.blockProbe)
  }

  static async start(source: GraphSource): Promise<GraphRunner> {
    return new GraphRunner(Ort.load(), source)
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
    const key = JSON.stringify(service)
    const known = this.#services.get(key)
    const variant = known ?? this.#prepared(service)
    this.#services.set(key, variant)
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
    const results = attempt(graph, () => session.run(feeds))
    const bound = this.#bound.get(graph)
    const tensors = lowered.outputs.map((output, i) => bound?.get(i) ?? tensorOf(output, results[i]!))
    for (const { gradients, squares } of lowered.sums ?? []) {
      const sum = { squares: Number(results[squares]?.[0]) }
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
    const key = tensor instanceof tf.Variable ? tensor.dataId : tensor.dataSync()
    const known = this.#feeds.get(key)
    if (known !== undefined && sameShape(known.shape, input.shape)) return known
    const feed = this.#ort.feed(input, tensor.dataSync() as Numbers)
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

  #prepared(service: Service): Variant | 'none' {
    const lowered = this.source.serve(service)
    return lowered === undefined ? 'none' : this.#ready(`${service.kind} graph`, lowered, [])
  }

  #lower(graph: string, args: readonly Argument[]): Variant {
    const shapes = args.map(arg => (arg instanceof tf.Tensor ? [...arg.shape] : undefined))
    return this.#ready(graph, this.source.lower(graph, shapes, this.#channelBlock), shapes)
  }

  #ready(graph: string, lowered: LoweredGraph, shapes: Variant['shapes']): Variant {
    const session = attempt(graph, () => this.#ort.session(lowered))
    for (const [output, tensor] of this.#bound.get(graph) ?? [])
      session.bind(output, this.#ort.feed(lowered.outputs[output]!, tensor.dataSync() as Numbers))
    return { shapes, lowered, session, cells: new Map() }
  }

  dispose(): void {
    for (const variant of [...this.#variants.values()].flat()) variant.session.dispose()
    this.#variants.clear()
    for (const service of this.#services.values()) if (service !== 'none') service.session.dispose()
    this.#services.clear()
    for (const bound of this.#bound.values()) for (const tensor of bound.values()) tensor.dispose()
    this.#bound.clear()
  }
}

function attempt<T>(graph: string, run: () => T): T {
  try {
    return run()
  } catch (error) {
    throw graphFault(graph, error)
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
