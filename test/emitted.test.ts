import { spawnSync } from 'node:child_process'
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { compile, emitProgram } from '../src/compiler.ts'
import { blocksOf, pages, programOf, readPage } from './kit/docs.ts'
import { libraryFiles } from './kit/files.ts'
import { randomProgram } from './kit/programs/program.ts'

/** What is emitted for every program that this repository has, and for some at random, passes the strict checker, with nothing unused. */
const test = suite('emitted')

const root = fileURLToPath(new URL('../', import.meta.url))

interface Original {
  readonly name: string
  readonly folder: string
  readonly text: string
}

function programsIn(folder: string): readonly Original[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter(name => name.endsWith('.ltm'))
    .sort()
    .map(name => join(folder, name))
    .map(name => ({ name, folder: join(root, dirname(name)), text: readFileSync(join(root, name), 'utf8') }))
}

const originals: readonly Original[] = [
  ...programsIn('examples'),
  ...programsIn('test/cases/check'),
  ...programsIn('test/cases/diagnostics'),
  ...pages
    .flatMap(path => blocksOf(path, readPage(path)))
    .filter(block => block.info[0] === 'ltm')
    .map(block => ({ name: block.place, folder: root, text: programOf(block) })),
  ...Array.from({ length: 20 }, (_, i) => ({ name: `random ${i}`, folder: root, text: randomProgram(i) })),
]

/** The texts of a file's programs; none where it has errors. */
function emitted({ folder, text }: Original): readonly string[] {
  const files = libraryFiles(folder)
  const source = { name: 'program.ltm', text }
  const { diagnostics, programs } = compile(source.name, {
    ...files,
    read: path => (path === source.name ? source : files.read(path)),
  })
  if (diagnostics.some(each => each.severity === 'error')) return []
  return programs.map(program =>
    emitProgram(program, {
      target: 'typescript',
      runtime: 'ltm-lang/runtime',
      directory: 'import.meta.dirname',
    }),
  )
}

/** The TypeScript files beside a program, whose functions it may `call`. */
function copyImports(from: string, to: string): void {
  for (const name of readdirSync(from).filter(each => each.endsWith('.ts')))
    copyFileSync(join(from, name), join(to, name))
}

function checked(folder: string): string {
  const config = {
    extends: join(root, 'tsconfig.json'),
    compilerOptions: {
      paths: { 'ltm-lang/runtime': [join(root, 'src/runtime/index.ts')] },
      typeRoots: [join(root, 'node_modules/@types')],
      noEmit: true,
    },
    include: ['*/program.ts'],
    exclude: [],
  }
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config))
  const tsc = join(root, 'node_modules/typescript/bin/tsc')
  return spawnSync(process.execPath, [tsc, '-p', folder], { encoding: 'utf8', cwd: folder }).stdout
}

test('programs of the cases, the examples and the pages, and random ones, pass the strict checker with nothing unused', () => {
  const folder = mkdtempSync(join(tmpdir(), 'ltm-emitted-'))
  try {
    let count = 0
    for (const original of originals) {
      for (const [i, text] of emitted(original).entries()) {
        const own = join(folder, `${original.name.replace(/\W+/g, '_')}_${i}`)
        mkdirSync(own)
        copyImports(original.folder, own)
        writeFileSync(join(own, 'program.ts'), text)
        count += 1
      }
    }
    assert.ok(count > 50)
    assert.is(checked(folder), '')
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})

test.run()
