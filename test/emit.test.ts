import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { emitProgram } from '../src/emit/tfjs/program.ts'
import { parseProgram } from '../src/ir/parse.ts'
import { expectFile, forEachCase } from './kit/cases.ts'

const emit = suite('emitter')
const root = fileURLToPath(new URL('../', import.meta.url))
const options = { runtime: 'ltm-lang/runtime', directory: 'import.meta.dirname' } as const
const cases: { readonly name: string; readonly path: string; readonly input: string }[] = []

forEachCase('emit', ({ name, path, read }) => {
  const input = read('input.ir')
  cases.push({ name, path: path('expected/program.ts'), input })

  emit(`${name} reads as expected`, () => {
    const text = emitProgram(parseProgram(input), { ...options, target: 'typescript' })
    expectFile(path('expected/program.ts'), text)
    for (const line of text.split('\n')) assert.ok(line.length <= 110, `too wide: ${line}`)
    assert.not.match(text, /[ \t]$/m)
  })
})

emit('all cases pass the strict checker without anything unused', () => {
  withFolder(folder => {
    const config = {
      extends: join(root, 'tsconfig.json'),
      compilerOptions: {
        paths: { 'ltm-lang/runtime': [join(root, 'test/kit/runtime.ts')] },
        typeRoots: [join(root, 'node_modules/@types')],
      },
      files: cases.map(({ path }) => path),
      include: [],
      exclude: [],
    }
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config))
    const tsc = join(root, 'node_modules/typescript/bin/tsc')
    const { stdout, status } = spawnSync(process.execPath, [tsc, '-p', folder], { encoding: 'utf8' })
    assert.is(stdout, '')
    assert.is(status, 0)
  })
})

function withFolder<T>(use: (folder: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), 'ltm-emit-'))
  try {
    return use(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

emit.run()
