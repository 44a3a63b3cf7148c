/**
 * A case for each decision behind the language: `input.ltm` is what may be written, and what it means as IR; `wrong.ltm` is what may not be,
 * and what the compiler says of it.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { compile } from '../src/compiler.ts'
import { renderDiagnostic } from '../src/diagnostics/render.ts'
import type { Program } from '../src/ir/ir.ts'
import { printProgram } from '../src/ir/print.ts'
import { announced, reported } from './kit/announced.ts'
import { areaNames, expectFile, forEachCase, orphans } from './kit/cases.ts'
import { countsSaid } from './kit/counts.ts'
import { libraryFiles } from './kit/files.ts'

const test = suite('decisions')

/** Without the functions of the library, which have tests of their own. */
const ownPart = (program: Program): Program => ({
  ...program,
  functions: program.functions.filter(func => !func.origin.file.startsWith('stdlib/')),
})

forEachCase('decisions', ({ name, folder, path, read, has }) => {
  const compiled = (file: string) => compile(file, libraryFiles(folder), { counts: countsSaid(read(file)) })
  test(name, () => {
    assert.ok(has('input.ltm') || has('wrong.ltm'), 'A case shows what may be written, or what may not.')
    for (const file of ['input.ltm', 'wrong.ltm'].filter(has)) {
      const text = read(file)
      const { diagnostics } = compiled(file)
      assert.match(text, /^\/\/ [A-Z`].*[.]\n/, 'The first line says what is decided.')
      assert.equal(reported(diagnostics, file).toSorted(), announced(text).toSorted(), file)
    }
    if (has('wrong.ltm')) {
      const shown = compiled('wrong.ltm').diagnostics.map(each =>
        renderDiagnostic(each, { color: false, width: 100 }),
      )
      assert.ok(shown.length > 0)
      expectFile(path('expected.txt'), `${shown.join('\n\n')}\n`)
    }
    if (has('input.ltm')) {
      const printed = compiled('input.ltm').programs.map(program => printProgram(ownPart(program)))
      assert.ok(printed.length > 0)
      expectFile(path('expected.ir'), printed.join('\n'))
    }
  })
})

test('every decision has a case', () => {
  const numbers = areaNames('decisions').map(name => Number(/^F(\d\d)-[a-z]/.exec(name)?.[1]))
  const all = Array.from({ length: 51 }, (_, i) => i + 1)
  assert.equal(
    all.filter(number => !numbers.includes(number)),
    [],
  )
  assert.ok(numbers.every(number => all.includes(number)))
})

test('no expectation is left over', () => orphans('decisions'))

test.run()
