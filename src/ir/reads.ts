import type { Program } from './ir.ts'

/** What a program looks up as it runs that people give it from outside. */
export interface Reads {
  /** Hypers that are not only compiled in. */
  readonly settings: readonly string[]
  /** Whether it asks how many updates there will be in all. */
  readonly end: boolean
}

/** Finds every host expression of a program that reads a hyper or the end of the run, wherever it stands. */
export function readsOf(program: Program): Reads {
  const hypers = new Set<string>()
  let end = false
  const visit = (node: unknown): void => {
    if (typeof node !== 'object' || node === null) return
    if ('kind' in node && node.kind === 'hyper' && 'name' in node) hypers.add(String(node.name))
    if ('kind' in node && node.kind === 'clock' && 'clock' in node) end ||= node.clock === 'total_updates'
    for (const member of Object.values(node)) visit(member)
  }
  visit(program)
  return { settings: [...hypers].sort(), end }
}
