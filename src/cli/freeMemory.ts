import { freemem } from 'node:os'

/** Bytes that a process may still take: within a container less than the machine has. Older versions of Node can't tell. */
export function freeMemory(): number {
  return typeof process.availableMemory === 'function' ? process.availableMemory() : freemem()
}
