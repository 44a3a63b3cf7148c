import { RunError } from '../errors.ts'
import type { Trace } from '../training.ts'

/** A file as messages speak of it. */
export interface DataFile {
  /** As the program wrote it: `mnist/images.gz`. */
  readonly name: string
  /** Where the program names it. */
  readonly trace: Trace
  /** What kind of file it is to its reader; a `data file` unless said otherwise. */
  readonly kind?: string
}

/** The contents of a file are not what its format wants. */
export function damaged(file: DataFile, what: string, help?: string): RunError {
  return new RunError({ code: 'LTM5130', message: `${file.name} ${what}`, trace: file.trace, help })
}

/** A value in a file that a row should not have: `reviews.jsonl:17: …`. */
export function badRow(file: DataFile, place: string, what: string, help?: string): RunError {
  return new RunError({ code: 'LTM5134', message: `${place}: ${what}`, trace: file.trace, help })
}

/** Of a number and its noun: `1 row`, `3 rows`. */
export function counted(count: number, noun: string): string {
  return `${count.toLocaleString('en')} ${noun}${count === 1 ? '' : 's'}`
}

/** What is wrong where a size that a file claims is not the size that it has. */
export function sizeProblem(file: DataFile, claimed: string, needed: number, found: number): RunError {
  return found < needed
    ? damaged(
        file,
        `is cut off: ${claimed} takes ${counted(needed, 'byte')}, and there are ${found.toLocaleString('en')}`,
        'fetch the file anew, or write it again',
      )
    : damaged(
        file,
        `has ${counted(found - needed, 'byte')} after its last number: ${claimed} takes ${counted(needed, 'byte')}`,
        'fetch the file anew, or write it again',
      )
}
