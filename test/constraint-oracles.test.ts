/** The constraints of the library against PyTorch, SciPy and formulas (scripts/oracles/constraints.py). */
import { readFileSync } from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { placeOf, subjectsOf } from '../src/cli/lawSubjects.ts'
import { emitProgram } from '../src/compiler.ts'
import { constraintsOf } from '../src/laws/declared.ts'
import { lawProgram } from '../src/laws/program.ts'
import { compileText, filesOf } from './kit/evaluate.ts'
import { near } from './kit/near.ts'

interface Entry {
  readonly shape: readonly number[]
  readonly raw: readonly number[]
  readonly value: readonly number[]
  readonly log_det?: number
}

const test = suite('constraint oracles')
const path = new URL('data/constraints.json', import.meta.url)
const oracle: Readonly<Record<string, Entry>> = JSON.parse(readFileSync(path, 'utf8'))

const constraints = filesOf('')
  .library()
  .flatMap(source => constraintsOf(source).constraints)
const instances = Object.entries(oracle).map(([text, { shape }]) => {
  const [name = ''] = text.split('(')
  const declared = constraints.find(each => each.name === name)
  if (!declared) throw new Error(`there is no constraint ${name}`)
  return { declared, args: text.slice(name.length), shape }
})
const file = { constraints, uses: [], hypers: [], text: '' }
const [program] = compileText(lawProgram(file, instances)).programs
const runtime = new URL('../src/runtime/index.ts', import.meta.url).href
const subjects = await subjectsOf(program!, instances, { emitProgram }, runtime)
const place = placeOf('cpu')

for (const [i, [text, { raw, value, log_det: logDet }]] of Object.entries(oracle).entries())
  test(`${text}: value, inverse and determinant`, async () => {
    const subject = subjects[i]!
    assert.is(subject.logDet === undefined, logDet === undefined)
    await place.on('cpu')
    place.inDouble(() => {
      near(subject.forward(raw), value, 1e-9, 'the value')
      const back = subject.inverse!(value)
      near(subject.forward(back), value, 1e-9, 'the value carried back')
      if (subject.bijective) near(back, raw, 1e-7, 'the raw tensor')
      // Constants of a program are rounded to 32 bits.
      if (logDet !== undefined) near([subject.logDet!(raw)], [logDet], 1e-6, 'log_det')
    })
  })

test.run()
