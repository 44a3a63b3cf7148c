import { readdirSync, statSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { openFiles } from '../src/cli/files.ts'
import { compile, formGraphs } from '../src/compiler.ts'
import type { Program } from '../src/ir/ir.ts'
import { programToJson } from '../src/ir/json.ts'
import { parseProgram } from '../src/ir/parse.ts'
import { printProgram } from '../src/ir/print.ts'
import { programFromJson } from '../src/ir/readJson.ts'
import { validateJson } from '../src/ir/schema.ts'
import { eagerPipeline, graphPipeline } from '../src/passes/pipelines.ts'
import { verify } from '../src/passes/verify.ts'
import { summarize } from '../src/summary/summarize.ts'

const test = suite('programs at every stage')
const root = fileURLToPath(new URL('../', import.meta.url))
const stages = ['elaborate', ...eagerPipeline.map(pass => pass.name)]

/** Every program there is, be it an example or a case; those that don't compile have tests elsewhere. */
function programFiles(folder: string): readonly string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter(name => name.endsWith('.ltm'))
    .map(name => join(root, folder, name))
    .filter(path => statSync(path).isFile())
    .sort()
}

/** What each program of a file is after each stage. */
function stagesOf(path: string): readonly (readonly [stage: string, program: Program])[] {
  const seen: (readonly [string, Program])[] = []
  const { programs } = compile(path, openFiles(), {
    observe: (stage, program) => seen.push([stage, program]),
  })
  assert.is(seen.length, programs.length * stages.length)
  return seen
}

const examples = programFiles('examples')
let compiled = 0

const cases = programFiles('test/cases').filter(path => !/[\\/]diagnostics[\\/]/.test(path))

for (const path of [...examples, ...cases]) {
  const name = relative(root, path).replaceAll('\\', '/')

  test(`${name} is sound at every stage, survives as text and as JSON, and can be summed up`, () => {
    const seen = stagesOf(path)
    compiled += seen.length > 0 ? 1 : 0
    for (const [i, [stage, program]] of seen.entries()) {
      assert.is(stage, stages[i % stages.length])
      checkProgram(stage, program)
      if (stage === 'elaborate') assert.is(summarize(program).steps.length, program.steps.length)
    }
  })

  test(`${name} has graphs that are sound, and survive as text and as JSON`, () => {
    for (const program of compile(path, openFiles()).programs) {
      const seen: string[] = []
      formGraphs(program, { observe: stage => seen.push(stage) })
      assert.equal(
        seen,
        graphPipeline.map(pass => pass.name),
      )
      checkProgram('graphs', formGraphs(program))
    }
  })
}

function checkProgram(stage: string, program: Program): void {
  verify(program, stage)
  assert.equal(parseProgram(printProgram(program, { locations: true })), program, `text after ${stage}`)
  const short = printProgram(program)
  assert.is(printProgram(parseProgram(short)), short, `text without places after ${stage}`)
  assert.equal(validateJson(program), program)
  assert.equal(programFromJson(programToJson(program)), program, `JSON after ${stage}`)
}

test('all examples compile', () => {
  assert.ok(examples.length >= 4)
  assert.ok(compiled >= examples.length)
  for (const path of examples) assert.is.not(stagesOf(path).length, 0, path)
})

test.run()
