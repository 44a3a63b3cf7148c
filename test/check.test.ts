import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { compile, compileLibrary, emitProgram } from '../src/compiler.ts'
import { renderDiagnostic } from '../src/diagnostics/render.ts'
import type { Program } from '../src/ir/ir.ts'
import { parseProgram } from '../src/ir/parse.ts'
import { printProgram } from '../src/ir/print.ts'
import { expectFile, forEachCase, orphans } from './kit/cases.ts'
import { countsSaid } from './kit/counts.ts'
import { libraryFiles, memoryFiles } from './kit/files.ts'

const test = suite('check')

/** Without the functions of the library, which have tests of their own. */
const ownPart = (program: Program): Program => ({
  ...program,
  functions: program.functions.filter(func => !func.origin?.file.startsWith('stdlib/')),
})

forEachCase('check', ({ name, folder, path, read }) => {
  test(name, () => {
    const { diagnostics, programs } = compile('input.ltm', libraryFiles(folder), {
      counts: countsSaid(read('input.ltm')),
    })
    const shown = diagnostics.map(each => renderDiagnostic(each, { color: false, width: 100 }))
    assert.is(shown.join('\n\n'), '')
    const text = programs.map(program => printProgram(ownPart(program))).join('\n')
    expectFile(path('expected.ir'), text)
    for (const program of programs) {
      assert.is(printProgram(parseProgram(printProgram(program))), printProgram(program))
      emitProgram(program, { target: 'typescript', runtime: 'ltm-lang/runtime', directory: '"."' })
    }
  })
})

test('no expectation is left over', () => orphans('check'))

test('a step may be as long as its text: nothing recurses over its values', () => {
  const lines = Array.from({ length: 6000 }, (_, i) => `    let v${i + 1} = v${i} + 1`)
  const text = `train T {
  param w: f32[2] = zeros()
  optimizer sgd = Sgd(w, lr: 0.1)
  step train() {
    let v0 = sum(w)
${lines.join('\n')}
    minimize v${lines.length}
  }
  trainer { updates: 1 }
}
`
  const { diagnostics } = compile('input.ltm', memoryFiles({ 'input.ltm': text }))
  assert.equal(
    diagnostics.map(({ message }) => message),
    [],
  )
})

test('the standard library has no mistakes', () => {
  const shown = compileLibrary(memoryFiles({})).map(each =>
    renderDiagnostic(each, { color: false, width: 100 }),
  )
  assert.is(shown.join('\n\n'), '')
})

/** A training of one parameter, with other members in front. */
const around = (head: string, members: string, loss = 'p ^ 2'): string =>
  `${head}\ntrain T {\n  param p: f32 = 0.0\n${members}\n  optimizer sgd = Sgd(p, lr: 0.1)\n  step train() { minimize ${loss} }\n  trainer { updates: 1 }\n}\n`

test('the order of declarations makes no difference', () => {
  const compiled = (text: string) => compile('a.ltm', memoryFiles({ 'a.ltm': text }))
  const before = compiled(
    around(
      'const A: int = twice(B)\nfn twice(x: int) -> int = x * C\nconst B: int = 3\nconst C: int = 2',
      '',
      'A * p ^ 2',
    ),
  )
  assert.equal(before.diagnostics, [])
  const after = compiled(
    around(
      'const C: int = 2\nconst B: int = 3\nfn twice(x: int) -> int = x * C\nconst A: int = twice(B)',
      '',
      'A * p ^ 2',
    ),
  )
  const text = (programs: typeof before.programs) =>
    programs
      .map(each => printProgram(each))
      .join()
      .replace(/@\d+(:\d+)?|#.*/g, '')
  assert.is(text(before.programs), text(after.programs))
  assert.match(text(before.programs), /6/)
})

test('hypers take what the command line gives', () => {
  const text = around('', '  hyper k: int in range(1, 9) = 2\n  hyper rate: float = 0.5', 'k * rate * p ^ 2')
  const compiled = (given: Readonly<Record<string, string>>) =>
    compile('a.ltm', memoryFiles({ 'a.ltm': text }), { hypers: new Map(Object.entries(given)) })
  for (const [given, value] of [
    ['.5', 0.5],
    ['5.', 5],
    ['+1e-3', 1e-3],
    ['-2', -2],
    ['1_000', 1000],
  ] as const) {
    const { programs, diagnostics } = compiled({ rate: given })
    assert.equal(diagnostics, [])
    assert.is(programs[0]?.hypers.find(hyper => hyper.name === 'rate')?.value, value)
  }
  for (const [name, given] of [
    ['k', '2.5'],
    ['k', '1e400'],
    ['k', ''],
    ['k', '99'],
    ['rate', 'NaN'],
    ['rate', '1e400'],
    ['rate', '0x10'],
  ])
    assert.is(compiled({ [name!]: given! }).diagnostics.length, 1, `--${name} ${given}`)
})

test('a text that cannot be read hides nothing but what is missing', () => {
  const text = around('fn f(x: f32[...s]) -> f32[...s] = x +\nfn g(x: f32[n]) -> i32[n] = x\n', '', 'f(p)')
  const { diagnostics } = compile('a.ltm', memoryFiles({ 'a.ltm': text }))
  assert.equal(
    diagnostics.map(each => each.code).filter(code => !code.startsWith('LTM1')),
    ['LTM2115'],
  )
})

test('places inside the braces of a string are those of the file', () => {
  const text = around('', '  on train_end { print "{{p}} is\\t{p} and {nothing}" }')
  const { diagnostics } = compile('a.ltm', memoryFiles({ 'a.ltm': text }))
  assert.equal(
    diagnostics.map(({ code, span }) => [code, span.source.text.slice(span.start, span.end)]),
    [['LTM3001', 'nothing']],
  )
  assert.ok(diagnostics.every(({ span }) => span.source.name === 'a.ltm'))
})

test.run()
