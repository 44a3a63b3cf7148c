import { bug } from '../../base/bug.ts'
import { type Memory, newMemory } from '../webassembly.ts'

/** A tensor of floats that an arena holds. */
export interface ArenaTensor {
  readonly name: string
  readonly count: number
}

/** Tensors begin where a line of the cache does. */
const alignment = 64

/**
 * Tensors of floats side by side in one memory that WebAssembly works on. It is sized once: a memory that grows takes the
 * views of it away.
 */
export class Arena {
  readonly memory: Memory
  readonly #places: ReadonlyMap<string, { readonly address: number; readonly view: Float32Array }>

  /** An arena with room for these tensors, all zeros; undefined where they need more than 4 GiB, or more than there is. */
  static of(tensors: readonly ArenaTensor[]): Arena | undefined {
    let bytes = 0
    const addresses = tensors.map(({ name, count }) => {
      const address = bytes
      bytes += Math.ceil((4 * count) / alignment) * alignment
      return { name, count, address }
    })
    const memory = newMemory(bytes)
    return memory && new Arena(memory, addresses)
  }

  private constructor(memory: Memory, addresses: readonly (ArenaTensor & { readonly address: number })[]) {
    this.memory = memory
    this.#places = new Map(
      addresses.map(({ name, count, address }) => {
        const view = new Float32Array(memory.buffer, address, count)
        return [name, { address, view }]
      }),
    )
  }

  /** The numbers of a tensor, row by row, in place. */
  view(name: string): Float32Array {
    return this.#place(name).view
  }

  /** Where a tensor begins in {@link memory}, in bytes. */
  addressOf(name: string): number {
    return this.#place(name).address
  }

  #place(name: string) {
    return this.#places.get(name) ?? bug(`the arena holds no ${name}`)
  }
}
