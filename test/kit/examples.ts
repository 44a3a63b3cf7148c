import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import * as assert from 'uvu/assert'
import { type Compilation, compile, emitProgram } from '../../src/compiler.ts'
import { renderDiagnostic } from '../../src/diagnostics/render.ts'
import type { Program } from '../../src/ir/ir.ts'
import { readCounts } from '../../src/runtime/readCounts.ts'
import type { Training } from '../../src/runtime/training.ts'
import { libraryFiles } from './files.ts'

/** Where the examples are, each in a folder of its own and named like it. */
export const examples = fileURLToPath(new URL('../../examples/', import.meta.url))

/** The names of all examples. */
export const exampleNames: readonly string[] = readdirSync(examples)
  .filter(name => statSync(join(examples, name)).isDirectory())
  .sort()

/** Calls `visit` with a new folder that is removed after it. */
export async function inFolder<T>(visit: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'ltm-test-'))
  try {
    return await visit(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** The same, with the examples in it as they lie in a clone. */
export function besideExamples<T>(visit: (folder: string) => Promise<T>): Promise<T> {
  return inFolder(folder => {
    cpSync(examples, join(folder, 'examples'), { recursive: true })
    return visit(folder)
  })
}

/** The commands in a README, those that follow each other in its `sh` blocks. */
export function commandsIn(readme: string): readonly (readonly string[])[] {
  const blocks = [...readme.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, block = '']) => block)
  return blocks.flatMap(block => block.trim().split('\n')).map(line => line.split(/\s+/))
}

/** Compiles the program in a folder; a diagnostic of any kind fails the test. */
export function compileIn(folder: string, name: string, hypers: Record<string, string> = {}): Program {
  const files = libraryFiles(folder)
  const compilation = compile(`${name}.ltm`, files, { hypers: new Map(Object.entries(hypers)) })
  assert.equal(problemsOf(compilation), [])
  const [program, ...others] = compilation.programs
  assert.equal([program === undefined, others.length], [false, 0], `${name}.ltm has one train declaration`)
  return program!
}

function problemsOf({ diagnostics }: Compilation): readonly string[] {
  return diagnostics.map(one => renderDiagnostic(one, { color: false, width: 100 }))
}

/** The same of a program that asks its data for sizes, read as a run of this seed would. */
export async function compileWithData(folder: string, name: string, seed?: number): Promise<Program> {
  const counts = new Map<string, ReadonlyMap<string, number>>()
  for (;;) {
    const compilation = compile(`${name}.ltm`, libraryFiles(folder), { counts })
    assert.equal(problemsOf(compilation), [])
    const [program] = compilation.programs
    if (program) return program
    const [open] = compilation.open
    if (open === undefined) throw new Error('there is no program')
    const read = await readCounts('train', await trainingOf(open, folder), { seed })
    counts.set(open.name, new Map([...(counts.get(open.name) ?? []), ...read]))
  }
}

/** The training that the generated program hands to the runtime, which is the one of this process. */
export async function trainingOf(program: Program, directory: string): Promise<Training> {
  const text = emitProgram(program, {
    target: 'javascript',
    runtime: new URL('../../src/runtime/index.ts', import.meta.url).href,
    directory: JSON.stringify(directory),
  })
  return inFolder(async folder => {
    const path = join(folder, `${program.name}.mjs`)
    writeFileSync(path, text)
    const { training }: { training: Training } = await import(pathToFileURL(path).href)
    return training
  })
}

/** The program of an example, and what the runtime makes of it. */
export async function exampleTraining(name: string, hypers: Record<string, string> = {}): Promise<Training> {
  const folder = join(examples, name)
  return trainingOf(compileIn(folder, name, hypers), folder)
}

/** The lines of a text file without the line feed that ends the last. */
export function linesOf(path: string): readonly string[] {
  return readFileSync(path, 'utf8').trimEnd().split('\n')
}
