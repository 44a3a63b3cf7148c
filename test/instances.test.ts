/** A function is elaborated once for each list of distinct arguments, however often it is called. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { readLibrary } from '../src/cli/package.ts'
import { type Diagnostic, Diagnostics } from '../src/diagnostics/diagnostic.ts'
import { elaborateFile } from '../src/elaborate/program.ts'
import { verify } from '../src/passes/verify.ts'
import type { Body, Declaration } from '../src/syntax/ast.ts'
import { NodeIds, parse } from '../src/syntax/build.ts'
import { outline } from '../src/syntax/outline.ts'

const test = suite('instances')

/** So many trainings that call the same functions. */
function trained(trainings: number): string {
  const train = (i: number) => `train T${i} {
  param p: f32[3] = zeros()
  optimizer sgd = Sgd(p, lr: 0.1)
  step train() { minimize sum(quadrupled(p)) }
  trainer { updates: 1 }
}
`
  return `fn doubled(x: f32[n]) -> f32[n] { return x * 2 }
fn quadrupled(x: f32[n]) -> f32[n] { return doubled(doubled(x)) }
${Array.from({ length: trainings }, (_, i) => train(i)).join('')}`
}

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
    programs,
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

test('another training with the same arguments takes over what the first one has made', () => {
  const [one, three] = [elaborated(trained(1)), elaborated(trained(3))]
  assert.is(three.readings, one.readings)
  const [first, ...others] = three.programs
  assert.is(others.length, 2)
  for (const other of others) assert.equal(withoutOrigins(other.functions), withoutOrigins(first?.functions))
})

/** The trainings of one text stand at different lines. */
function withoutOrigins(functions: unknown): unknown {
  return JSON.parse(JSON.stringify(functions, (key, value) => (key === 'origin' ? undefined : value)))
}

test('a function taken over has the name that its own training gives it', () => {
  const text = `fn scaled(x: f32[n], k: float) -> f32[n] { return x * k }
fn both(x: f32[n], k: float) -> f32[n] { return scaled(x, k) }
train A {
  param p: f32[3] = zeros()
  optimizer sgd = Sgd(p, lr: 0.1)
  step train() { minimize sum(both(p, 2) + both(p, 3)) }
  trainer { updates: 1 }
}
train B {
  param p: f32[3] = zeros()
  optimizer sgd = Sgd(p, lr: 0.1)
  step train() { minimize sum(both(p, 3)) }
  trainer { updates: 1 }
}
`
  const [a, b] = elaborated(text).programs
  const called = (program: typeof a) =>
    program?.functions
      .filter(({ declaration }) => declaration === 'both')
      .flatMap(({ name, steps }) => [name, ...steps.map(({ attrs }) => attrs.func)])
  assert.equal(called(a), ['both', 'scaled', 'both.1', 'scaled.1'])
  assert.equal(called(b), ['both', 'scaled'])
})

/** What is multiplied by a constant, in the order of a text's first training. */
function factors(definitions: string, loss: string): readonly unknown[] {
  const { programs } = elaborated(`fn applied(f: fn, x: f32[n]) -> f32[n] { return f(x) }
${definitions}
train T {
  param p: f32[3] = zeros()
  optimizer sgd = Sgd(p, lr: 0.1)
  step train() { minimize ${loss} }
  trainer { updates: 1 }
}
`)
  return (programs[0]?.functions ?? [])
    .filter(({ role }) => role === 'fn')
    .flatMap(({ steps }) => steps.flatMap(({ op, attrs }) => (op === 'const' ? [attrs.value] : [])))
}

test('a lambda is told from itself elsewhere by what it reads there', () => {
  const scaled = 'fn scaled(x: f32[n], k: float) -> f32[n] { return applied(fn(y) = y * k, x) }'
  assert.equal(factors(scaled, 'sum(scaled(p, 2) + scaled(p, 3))'), [2, 3])
})

test('a function that is given a lambda which reads a tensor goes where it is called', () => {
  const squared = `fn squared(x: f32[n]) -> f32[n] {
  let other = x * 5
  return applied(fn(y) = y * other, x)
}`
  assert.equal(factors(squared, 'sum(squared(p))'), [5])
  const { programs } = elaborated(`fn applied(f: fn, x: f32[n]) -> f32[n] { return f(x) }
${squared}
train T {
  param p: f32[3] = zeros()
  optimizer sgd = Sgd(p, lr: 0.1)
  step train() { minimize sum(squared(p)) }
  trainer { updates: 1 }
}
`)
  for (const program of programs) verify(program, 'elaborate')
})

test.run()
