import { readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  compile,
  emitProgram,
  type FileSystem,
  openFiles,
  renderDiagnostic,
  renderJson,
} from '../src/index.ts'

const api = suite('the package as a library')

/** One program in memory, with the standard library of the package. */
function files(text: string): FileSystem {
  return {
    read: path => (path === 'a.ltm' ? { name: path, text } : undefined),
    resolve: (_, relative) => relative,
    library: openFiles().library,
  }
}

const text = `train Probability {
  hyper lr: float = 1e-3
  param p: f32 in interval(0, 1) = 0.1
  optimizer adam = Adam(p, lr: lr)

  step train() { minimize (p - 0.9) ^ 2 }

  trainer { updates: 10 }
}
`

api('compiles and emits a program that is nowhere on disk', () => {
  const { diagnostics, programs } = compile('a.ltm', files(text), { hypers: new Map([['lr', '0.5']]) })
  assert.equal(diagnostics, [])
  assert.equal(
    programs.map(({ name }) => name),
    ['Probability'],
  )
  const emitted = emitProgram(programs[0]!, {
    target: 'javascript',
    runtime: 'ltm-lang/runtime',
    directory: 'import.meta.dirname',
  })
  assert.match(emitted, "from 'ltm-lang/runtime'")
  assert.match(emitted, 'lr: 0.5')
})

api('shows what is wrong, for people and for programs', () => {
  const { diagnostics, programs } = compile('a.ltm', files(text.replace('Adam(p', 'Adam(q')))
  assert.equal(programs, [])
  const [first] = diagnostics
  const { file, line, severity } = renderJson(first!)
  assert.equal([file, line, severity], ['a.ltm', 4, 'error'])
  assert.match(renderDiagnostic(first!, { color: false, width: 80 }), '--> a.ltm:4:25')
})

api('imports start at the file that says them, at the home folder, or at the root', () => {
  const { resolve } = openFiles()
  assert.is(resolve('a/b.ltm', '../c.ltm'), 'c.ltm')
  assert.is(resolve('a/b.ltm', '~/c.ltm'), join(homedir(), 'c.ltm'))
  assert.is(resolve('a/b.ltm', '~c.ltm'), join('a', '~c.ltm'))
  assert.is(resolve('a/b.ltm', join(homedir(), 'c.ltm')), join(homedir(), 'c.ltm'))
})

api('finds the files of this machine', () => {
  const { read, library } = openFiles()
  assert.match(read('examples/probability/probability.ltm')?.text ?? '', 'train Probability')
  assert.is(read('examples/none.ltm'), undefined)
  assert.ok(library().some(({ name }) => name === 'stdlib/optimizers.ltm'))
})

api('says what the README shows', () => {
  const readme = readFileSync('README.md', 'utf8').replaceAll('\r\n', '\n')
  const [, shown = ''] = readme.split('```ltm\n')
  const [whole = '', rest = ''] = shown.split('```\n', 2)
  assert.match(rest, 'flatten')
  const inMemory = (text: string): FileSystem => ({
    ...files(text),
    read: name => (name === 'digits.ltm' ? { name, text } : undefined),
  })
  assert.equal(compile('digits.ltm', inMemory(whole)).diagnostics, [])
  const { diagnostics } = compile(
    'digits.ltm',
    inMemory(whole.replace('flatten(batch.image)', 'batch.image')),
  )
  const said = diagnostics.map(each => renderDiagnostic(each, { color: false, width: 100 }))
  assert.is(said.length, 1)
  assert.match(readme, `\`\`\`\n${said[0]}\n\`\`\`\n`)
})

api.run()
