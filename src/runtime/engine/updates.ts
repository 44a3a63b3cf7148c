import { bug } from '../../base/bug.ts'
import { type Exported, instantiate } from '../webassembly.ts'
import type { Arena } from './arena.ts'

/** The tensors that an update works on, by their names in the arena; they have equally many elements. */
export interface UpdateTensors {
  /** In the order of the optimizer's slots. */
  readonly slots: readonly string[]
  readonly parameter: string
  readonly gradient: string
}

/**
 * Moves a parameter and its slots in place, by its gradient times `scale`. `scalars` are those of the compiled update at this
 * `t` and these settings.
 */
export type RunUpdate = (scale: number, scalars: ArrayLike<number>) => void

/** The updates of the optimizers of a run, compiled to WebAssembly, on the tensors of an arena. */
export class Updates {
  readonly #arena: Arena
  /** By the bytes of the module: groups that are updated alike share one. */
  readonly #kernels = new Map<string, Exported>()

  constructor(arena: Arena) {
    this.#arena = arena
  }

  /** The update of one parameter. Calls of it allocate nothing. */
  bind(bytes: Uint8Array<ArrayBuffer>, { slots, parameter, gradient }: UpdateTensors): RunUpdate {
    const kernel = this.#kernelOf(bytes)
    const tensors = [...slots, parameter, gradient]
    const counts = new Set(tensors.map(name => this.#arena.view(name).length))
    if (counts.size !== 1) return bug(`the tensors of the update of ${parameter} differ in size`)
    const args = [...tensors.map(name => this.#arena.addressOf(name)), ...counts]
    const first = args.length
    return (scale, scalars) => {
      args[first] = scale
      for (let i = 0; i < scalars.length; i++) args[first + 1 + i] = scalars[i] ?? Number.NaN
      Reflect.apply(kernel, undefined, args)
    }
  }

  #kernelOf(bytes: Uint8Array<ArrayBuffer>): Exported {
    const key = Buffer.from(bytes).toString('latin1')
    const known = this.#kernels.get(key)
    if (known !== undefined) return known
    const kernel = instantiate(bytes, this.#arena.memory).update ?? bug('a module without an update')
    this.#kernels.set(key, kernel)
    return kernel
  }
}
