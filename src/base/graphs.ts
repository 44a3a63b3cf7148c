/** What the compiler and the runtime of compiled programs say to each other about graphs. */

/** What runs graphs. */
export const graphProviders = ['cpu', 'webgpu', 'cuda'] as const
export type GraphProvider = (typeof graphProviders)[number]

/** What runs on them are called among backends. */
export const graphBackends = { cpu: 'onnx', webgpu: 'onnx-webgpu', cuda: 'onnx-cuda' } as const

/** A tensor that goes into a graph or comes out of it. */
export interface GraphTensor {
  readonly name: string
  readonly dtype: 'f32' | 'i32' | 'bool'
  readonly shape: readonly number[]
}

/** Where an input of a graph comes from. */
export type GraphInput =
  /** The argument of this place. */
  | { readonly kind: 'tensor'; readonly index: number }
  /** The host's number of this place, as a single `f32`. */
  | { readonly kind: 'number'; readonly index: number }
  /** What the host draws below the key that is the argument of this place. */
  | {
      readonly kind: 'draw'
      readonly key: number
      readonly places: readonly GraphPlace[]
      readonly draw: Draw
    }

/** The name or number of a place below a key; `number` is the host's number of this place. */
export type GraphPlace = string | number | { readonly number: number }

export type Draw =
  | { readonly kind: 'normal'; readonly mean: number; readonly std: number }
  | { readonly kind: 'uniform'; readonly low: number; readonly high: number }
  | { readonly kind: 'bernoulli'; readonly p: number }
  | { readonly kind: 'permutation' }

/** A graph for tensors of given sizes, as the bytes of an ONNX model. */
export interface LoweredGraph {
  readonly bytes: Uint8Array
  /** Where the graphs of a program move its parameters: what tells whether gradients are finite. */
  readonly sums?: readonly GradientSum[]
  readonly inputs: readonly (GraphTensor & { readonly source: GraphInput })[]
  readonly outputs: readonly GraphTensor[]
  /** The products that it adds up: how much work it is. */
  readonly multiplyAdds: number
}

/** How gradients are limited: each element, or their common 2-norm. */
export interface ClipRule {
  readonly kind: 'value' | 'norm'
  readonly limit: number
}

/** An update of some parameters of an optimizer in one graph. */
export interface UpdateRequest {
  /** Of the optimizer or average. */
  readonly optimizer: string
  readonly clip?: ClipRule
  readonly parts: readonly UpdatePart[]
}

export interface UpdatePart {
  /** Of the parameter. */
  readonly path: string
  readonly shape: readonly number[]
  /** Which list of numbers of the host its update takes, counted from 0. */
  readonly numbers: number
}

/** What a trainer has graphs do with all parameters or gradients at once. */
export type Service =
  /** Takes the slots, the parameter and the gradient of each part, then the numbers of each list; gives slots and parameters. */
  | { readonly kind: 'update'; readonly update: UpdateRequest }
  /** Takes as many tensors twice, and gives their sums. */
  | { readonly kind: 'add'; readonly optimizer: string; readonly shapes: readonly (readonly number[])[] }
  /** Takes a tensor, and gives it as it is: from the device that graphs run on, or to it. */
  | { readonly kind: 'copy'; readonly dtype: GraphTensor['dtype']; readonly shape: readonly number[] }
  /** Takes tensors and a number, and gives the quotients. */
  | { readonly kind: 'quotient'; readonly optimizer: string; readonly shapes: readonly (readonly number[])[] }

/** Outputs that are the gradients of one `minimize`, and the output that is the sum of their squares. */
export interface GradientSum {
  readonly gradients: readonly number[]
  readonly squares: number
}

/** An output of a graph that is the gradient by a parameter. */
export interface GradientOutput {
  readonly graph: string
  readonly output: number
  readonly parameter: string
}

/** The update of an optimizer's group as a WebAssembly module. */
export interface UpdateModule {
  readonly bytes: Uint8Array<ArrayBuffer>
  /** How many slots it takes. */
  readonly slots: number
}

/** Why a line stays outside of graphs, in the user's words. */
export interface GraphObstacle {
  readonly reason: string
  readonly trace: string
}

/** The graphs of one program, and the updates that need no graph. */
export interface GraphSource {
  /** What no graph could hold, and runs step by step. */
  readonly obstacles: readonly GraphObstacle[]
  /** By the name of the update's function; those that are not elementwise have none. */
  readonly updates: ReadonlyMap<string, UpdateModule>
  /** Gradients that graphs give, of every `minimize`. */
  readonly gradients: readonly GradientOutput[]
  /**
   * A model that tells how many channels lie side by side in the layout in which the processor's kernels convolve: from `x`, a float of
   * shape [1, 1, 1, 1], the four `sizes` of the same in blocks. Where there is no such layout it can't be loaded, or the second is 1.
   */
  readonly blockProbe: Uint8Array
  readonly provider: GraphProvider
  /** Whether graphs move parameters as well: their state stays where they run. */
  readonly moves: boolean
  /** Lowers what a trainer does between two graphs of the program; undefined where no graph can do it. */
  serve(service: Service): LoweredGraph | undefined
  /** A text that differs wherever {@link lower} may give another graph, or the same from other lines; equal ones are lowered alike. */
  fingerprint(graph: string): string
  /** Lowers a graph for arguments of these shapes; keys have none. `channelBlock` is what the probe told. */
  lower(
    graph: string,
    shapes: readonly (readonly number[] | undefined)[],
    channelBlock?: number,
  ): LoweredGraph
}
