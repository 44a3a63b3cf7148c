import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { findCycle, type Import, importsOf, packageOf, resolveImport } from './kit/imports.ts'

const test = suite('imports')

interface Rule {
  /** Other parts of the project. */
  readonly parts: readonly string[]
  /** Parts of which only types may come in. */
  readonly types?: readonly string[]
  /** Packages; `node:` stands for all of Node. */
  readonly packages?: readonly string[]
}

/** Who may import whom. A part is a folder of src, the folder grammar, or a file beside the folders of src. */
const rules: Readonly<Record<string, Rule>> = {
  base: { parts: [] },
  grammar: { parts: [], packages: ['chevrotain'] },
  diagnostics: { parts: ['base'] },
  types: { parts: ['base'] },
  ir: { parts: ['base', 'types'], packages: ['ajv'] },
  ops: { parts: ['base', 'types'], types: ['ir'] },
  syntax: { parts: ['base', 'diagnostics', 'grammar'], packages: ['chevrotain'] },
  check: { parts: ['base', 'diagnostics', 'types', 'syntax', 'ops'] },
  lower: { parts: ['base', 'diagnostics', 'types', 'syntax', 'check', 'ir', 'ops'] },
  elaborate: { parts: ['base', 'diagnostics', 'types', 'syntax', 'check', 'ir', 'ops'] },
  passes: { parts: ['base', 'types', 'ir', 'ops'], packages: ['immer'] },
  emit: { parts: ['base', 'types', 'ir', 'ops'] },
  format: { parts: ['base', 'diagnostics', 'grammar', 'syntax'] },
  summary: { parts: ['base', 'types', 'ir', 'ops', 'passes'] },
  laws: { parts: ['base', 'syntax'], types: ['ir'] },
  runtime: {
    parts: ['base'],
    packages: [
      'node:',
      '@tensorflow/tfjs-core',
      '@tensorflow/tfjs-backend-cpu',
      '@tensorflow/tfjs-backend-wasm',
      'picocolors',
      'ajv',
      'hyparquet',
      '@swc/wasm-typescript',
      'jpeg-js',
      'pngjs',
      'koffi',
      'onnxruntime-node',
    ],
  },
  'graphs.ts': { parts: ['base', 'ir', 'ops', 'passes', 'emit'] },
  'checker.ts': { parts: ['base', 'diagnostics', 'syntax', 'elaborate'] },
  'compiler.ts': {
    parts: ['checker.ts', 'graphs.ts', 'diagnostics', 'ir', 'passes', 'emit', 'summary'],
  },
  'index.ts': { parts: ['compiler.ts', 'base', 'diagnostics', 'cli'], types: ['ir'] },
  cli: {
    parts: ['checker.ts', 'compiler.ts', 'base', 'diagnostics', 'format', 'ir', 'laws', 'runtime'],
    types: ['summary'],
    packages: ['node:', 'commander', 'picocolors'],
  },
}

const root = fileURLToPath(new URL('..', import.meta.url))

function filesUnder(folder: string): readonly string[] {
  const entries = readdirSync(`${root}${folder}`, { recursive: true, encoding: 'utf8' })
  return entries.filter(name => name.endsWith('.ts')).map(name => `${folder}/${name.replaceAll('\\', '/')}`)
}

/** `src/ops/op.ts` is of `ops`, `src/compiler.ts` of `compiler.ts`, `grammar/tokens.ts` of `grammar`. */
function partOf(file: string): string {
  const [top = '', inner = ''] = file.split('/')
  return top === 'src' ? inner : top
}

const files = [...filesUnder('grammar'), ...filesUnder('src')].sort()
const imports = new Map(files.map(file => [file, importsOf(readFileSync(`${root}${file}`, 'utf8'))]))

function isAllowed(file: string, { specifier, typeOnly }: Import): boolean {
  const rule = rules[partOf(file)]
  if (!rule) return false
  if (!specifier.startsWith('.')) {
    const name = specifier.startsWith('node:') ? 'node:' : packageOf(specifier)
    return (rule.packages ?? []).includes(name)
  }
  const part = partOf(resolveImport(file, specifier))
  return part === partOf(file) || rule.parts.includes(part) || (typeOnly && (rule.types ?? []).includes(part))
}

/** From each file to the files of the project that it imports. */
function edges(of: (found: Import) => boolean): ReadonlyMap<string, readonly string[]> {
  return new Map(
    [...imports].map(([file, found]) => [
      file,
      found
        .filter(one => one.specifier.startsWith('.') && of(one))
        .map(one => resolveImport(file, one.specifier)),
    ]),
  )
}

/** The same between parts. */
function partEdges(): ReadonlyMap<string, readonly string[]> {
  const joined = new Map<string, Set<string>>()
  for (const [file, targets] of edges(() => true)) {
    const part = partOf(file)
    const others = joined.get(part) ?? new Set()
    for (const other of targets.map(partOf)) if (other !== part) others.add(other)
    joined.set(part, others)
  }
  return new Map([...joined].map(([part, others]) => [part, [...others]]))
}

test('every import keeps to the table', () => {
  const wrong = [...imports].flatMap(([file, found]) =>
    found.filter(one => !isAllowed(file, one)).map(one => `${file} imports ${one.specifier}`),
  )
  assert.equal(wrong, [])
})

test('no part is without a rule', () => {
  assert.equal(
    [...new Set(files.map(partOf))].filter(part => !(part in rules)),
    [],
  )
})

test('every relative import names a file that is there', () => {
  const missing = [...edges(() => true)].flatMap(([file, targets]) =>
    targets.filter(target => !imports.has(target)).map(target => `${file} imports ${target}`),
  )
  assert.equal(missing, [])
})

test('no file imports itself, by whatever way round', () => {
  assert.is(findCycle(edges(one => !one.typeOnly)), undefined)
})

test('no part needs itself, not even for a type', () => {
  assert.is(findCycle(partEdges()), undefined)
})

test('the reader of imports sees every form', () => {
  const text = [
    "import { a } from './a.ts'",
    "import type { B } from '../b/b.ts'",
    "import {\n  type C,\n  type D,\n} from 'c'",
    "import { type E, f } from '@g/h/i.js'",
    "export * from './j.ts'",
    "export type { K } from './k.ts'",
    "import './l.ts'",
    "const m = await import('./m.ts')",
    "  return `import { n } from 'n'`",
  ].join('\n')
  assert.equal(
    importsOf(text).map(one => `${one.typeOnly ? 'type ' : ''}${one.specifier}`),
    ['./a.ts', 'type ../b/b.ts', 'type c', '@g/h/i.js', './j.ts', 'type ./k.ts', './l.ts', './m.ts'],
  )
  assert.is(packageOf('@g/h/i.js'), '@g/h')
  assert.is(resolveImport('src/ops/op.ts', '../base/code.ts'), 'src/base/code.ts')
})

test('the table refuses what it should, and cycles are found', () => {
  const refuses = (file: string, specifier: string, typeOnly = false) =>
    !isAllowed(file, { specifier, typeOnly })
  assert.ok(refuses('src/base/source.ts', '../ir/ir.ts'))
  assert.ok(refuses('src/ops/op.ts', '../ir/ir.ts'))
  assert.not(refuses('src/ops/op.ts', '../ir/ir.ts', true))
  assert.ok(refuses('src/check/scope.ts', 'node:fs'))
  assert.ok(refuses('src/runtime/trainer.ts', '../compiler.ts', true))
  assert.ok(refuses('src/nowhere/x.ts', '../base/source.ts'))
  assert.equal(
    findCycle(
      new Map([
        ['a', ['b']],
        ['b', ['c']],
        ['c', ['b']],
      ]),
    ),
    ['b', 'c', 'b'],
  )
  assert.is(
    findCycle(
      new Map([
        ['a', ['b', 'c']],
        ['b', ['c']],
        ['c', []],
      ]),
    ),
    undefined,
  )
})

test.run()
