import { memoryImport } from '../base/wasm/module.ts'

/** A memory of a fixed size; its buffer never moves. */
export interface Memory {
  readonly buffer: ArrayBuffer
}

/** A function of a module that takes numbers; those that give nothing give undefined. */
export type Exported = (...args: readonly number[]) => number | undefined

/** What is used of WebAssembly's JavaScript interface, which the types of Node leave out. */
declare const WebAssembly: {
  readonly Memory: new (size: { readonly initial: number; readonly maximum: number }) => Memory
  readonly Module: new (bytes: Uint8Array<ArrayBuffer>) => object
  readonly Instance: new (
    module: object,
    imports: Readonly<Record<string, Readonly<Record<string, Memory>>>>,
  ) => { readonly exports: Readonly<Record<string, Exported>> }
}

/** Bytes of a page, the unit in which memories are sized, and how many pages there may be: the end of the last has an address too. */
const pageSize = 2 ** 16
const mostPages = 2 ** 16 - 1

/** A memory of at least so many bytes; undefined where addresses of 32 bits don't reach as far, or where there is no room. */
export function newMemory(bytes: number): Memory | undefined {
  const pages = Math.ceil(bytes / pageSize)
  if (pages > mostPages) return undefined
  try {
    return new WebAssembly.Memory({ initial: pages, maximum: pages })
  } catch (error) {
    if (error instanceof RangeError) return undefined
    throw error
  }
}

/** The functions of a module, working on a memory. */
export function instantiate(
  bytes: Uint8Array<ArrayBuffer>,
  memory: Memory,
): Readonly<Record<string, Exported>> {
  const module = new WebAssembly.Module(bytes)
  return new WebAssembly.Instance(module, { [memoryImport.module]: { [memoryImport.name]: memory } }).exports
}
