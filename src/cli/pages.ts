import { readdirSync, readFileSync } from 'node:fs'
import { packageRoot } from '../runtime/ownFiles.ts'

/** The longer story of a code: one file of docs/diagnostics. */
export interface Page {
  readonly code: string
  /** The headline without the code. */
  readonly title: string
  readonly text: string
}

/** What codes are about, by their first digit. */
export const families: Readonly<Record<string, string>> = {
  0: 'Files and the command line',
  1: 'Reading the text',
  2: 'Types and shapes',
  3: 'Names, declarations and arguments',
  4: 'What a training means',
  5: 'Data, when it is read',
  6: 'Runs, checkpoints and backends',
  9: 'Still to come',
}

/** Every page, by code. */
export function readPages(): readonly Page[] {
  const folder = new URL('docs/diagnostics/', packageRoot())
  const names = readdirSync(folder).filter(name => /^LTM\d{4}\.md$/.test(name))
  return names.sort().map(name => pageOf(name, readFileSync(new URL(name, folder), 'utf8')))
}

function pageOf(name: string, text: string): Page {
  const headline = text.slice(0, text.indexOf('\n')).trim()
  return { code: name.slice(0, 7), title: headline.replace(/^# LTM\d{4}: /, ''), text }
}
