import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as assert from 'uvu/assert'

/** A folder under `test/cases/<area>`: what goes in, and what is expected to come out. */
export interface TestCase {
  readonly name: string
  readonly folder: string
  /** The path of one of its files. */
  path(file: string): string
  /** The text of one of its files, with line feeds only. */
  read(file: string): string
  has(file: string): boolean
}

const root = fileURLToPath(new URL('../cases/', import.meta.url))

/** Every expectation that a test has looked at in this process, for {@link orphans}. */
const claimed = new Set<string>()

/** Calls `visit` with every case of an area (`ir`, `passes/simplify`), by name. An area without cases is a mistake. */
export function forEachCase(area: string, visit: (testCase: TestCase) => void): void {
  const names = areaNames(area)
  if (names.length === 0) throw new Error(`There are no cases in ${shown(join(root, area))}.`)
  for (const name of names) visit(caseIn(join(root, area, name), name))
}

/** The folders of an area, such as the cases of `ir`, or the passes that `passes` has cases for. */
export function areaNames(area: string): readonly string[] {
  const folder = join(root, area)
  if (!existsSync(folder)) return []
  return readdirSync(folder)
    .filter(name => statSync(join(folder, name)).isDirectory())
    .sort()
}

function caseIn(folder: string, name: string): TestCase {
  const path = (file: string) => join(folder, file)
  return { name, folder, path, read: file => readText(path(file)), has: file => existsSync(path(file)) }
}

function readText(path: string): string {
  return readFileSync(path, 'utf8').replaceAll('\r\n', '\n')
}

/**
 * Compares a text with what a file expects, character by character. `LTM_BLESS=1` rewrites the file instead, which is to
 * be reviewed like prose; a build server may not.
 */
export function expectFile(path: string, actual: string): void {
  claimed.add(path)
  if (process.env.LTM_BLESS === '1') bless(path, actual)
  if (!existsSync(path)) assert.unreachable(`${shown(path)} is missing; LTM_BLESS=1 writes it.`)
  assert.is(actual.replaceAll('\r\n', '\n'), readText(path), `${shown(path)} expects something else.`)
}

function bless(path: string, actual: string): void {
  if (process.env.CI)
    throw new Error('LTM_BLESS is refused where CI is set: expectations are accepted by people.')
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, actual.replaceAll('\r\n', '\n'))
}

/**
 * Fails where an area holds an expectation that no test has looked at: a file that is called `expected…`, or lies in a
 * folder of that name. Call it in the last test of the area.
 */
export function orphans(area: string): void {
  const folder = resolve(root, area)
  const lost = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter(name => /(^|[\\/])expected/.test(name))
    .map(name => join(folder, name))
    .filter(path => statSync(path).isFile() && !claimed.has(path))
  assert.equal(lost.map(shown).sort(), [], 'No test looks at these expectations.')
}

function shown(path: string): string {
  return relative(process.cwd(), path).replaceAll('\\', '/')
}
