import type { Renderable } from '../diagnostics/render.ts'

/** What can be wrong with a file before the compiler reads it. A code never changes its meaning. */
const problems = {
  LTM0001: 'there is no file',
  LTM0002: 'this is a directory, not an ltm program:',
  LTM0003: 'this file is not UTF-8 text:',
  LTM0004: 'this file is empty:',
  LTM0005: 'this file cannot be read:',
  LTM0006: 'nothing to train in',
  LTM0007: 'no trained weights in',
  LTM0008: 'there is no checkpoint in',
  LTM0020: 'there is no snapshot',
  LTM0021: 'the program is no longer what was kept in',
  LTM0022: 'snapshots are not written where `CI` is set:',
  LTM0023: 'this snapshot cannot be read:',
} as const

export type FileProblemCode = keyof typeof problems

/** A problem of a whole file: a headline and what to do, without a place. */
export function fileProblem(code: FileProblemCode, path: string, help: string): Renderable {
  const message = `${problems[code]} \`${path}\``
  return {
    code,
    severity: 'error',
    message,
    span: undefined,
    note: undefined,
    labels: [],
    help,
    fix: undefined,
  }
}
