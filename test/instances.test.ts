/** A function is elaborated once for each list of distinct arguments, however often it is called. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { readLibrary } from '../src/cli/package.ts'
import { type Diagnostic, Diagnostics } from '../src/diagnostics/diagnostic.ts'
import { elaborateFile } from '../src/elaborate/program.ts'
import type { Body, Declaration } from '../src/syntax/ast.ts'
import { NodeIds, parse } from '../src/syntax/build.ts'
import { outline } from '../src/syntax/outline.ts'

const test = suite('instances')

/** A training that calls `doubled` so often, with parameters of so many sizes in turn. */
function calling(calls: number, sizes: number): string {
  const params = Array.from({ length: sizes }, (_, i) => `  param p${i}: f32[${i + 1}] = zeros()`)
  const uses = Array.from({ length: calls }, (_, i) => `    let v${i} = doubled(p${i % sizes})`)
  const names = Array.from({ length: sizes }, (_, i) => `p${i}`)
  return `fn doubled(x: f32[n]) -> f32[n] { return x * 2 }
train T {
${params.join('\n')}
  optimizer sgd = Sgd([${names.join(', ')}], lr: 0.1)
  step train() {
${uses.join('\n')}
    minimize ${names.map((_, i) => `sum(v${i})`).join(' + ')}
  }
  trainer { updates: 1 }
}
`
}

/** Elaborates a text and counts how often the statements of its functions' bodies are read. */
function elaborated(text: string) {
  const diagnostics = new Diagnostics()
  const ids = new NodeIds()
  const sources = readLibrary()
  const library = { sources, declarations: sources.flatMap(source => outline(source, ids)) }
  const file = parse({ name: 'test.ltm', text }, diagnostics.report, ids)
  let readings = 0
  const counted = (body: Body): Body =>
    body.kind === 'Block'
      ? {
          ...body,
          get statements() {
            readings++
            return body.statements
          },
        }
      : body
  const declarations = file.declarations.map(
    (each): Declaration => (each.kind === 'Fn' ? { ...each, body: counted(each.body) } : each),
  )
  const loaded = { file: { ...file, declarations }, imports: new Map(), hosts: new Map() }
  const { programs } = elaborateFile(
    library,
    loaded,
    { hypers: new Map(), counts: new Map() },
    diagnostics.report,
  )
  assert.equal(
    diagnostics.list.map(({ code, message }: Diagnostic) => `${code} ${message}`),
    [],
  )
  return {
    readings,
    functions: programs[0]?.functions.filter(({ name }) => name.startsWith('doubled')).length,
  }
}

test('200 calls with 5 distinct arguments take as many elaborations of the body as 5 calls', () => {
  const few = elaborated(calling(5, 5))
  const many = elaborated(calling(200, 5))
  assert.is(many.functions, 5)
  assert.is(many.readings, few.readings)
})

test('each distinct argument takes as much again', () => {
  const [four, five, six] = [4, 5, 6].map(sizes => elaborated(calling(200, sizes)).readings)
  assert.ok(four !== undefined && five !== undefined && six !== undefined)
  assert.ok(five > four)
  assert.is(six - five, five - four)
})

test.run()
