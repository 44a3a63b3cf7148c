import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { notations } from '../src/ir/host.ts'
import type { HostExpr, HostOperator, Program } from '../src/ir/ir.ts'
import { programToJson } from '../src/ir/json.ts'
import { IrSyntaxError, parseProgram } from '../src/ir/parse.ts'
import { printFunc, printProgram } from '../src/ir/print.ts'
import { programFromJson } from '../src/ir/readJson.ts'
import { IrFormatError, programSchema, validateJson } from '../src/ir/schema.ts'
import { expectFile, forEachCase, orphans } from './kit/cases.ts'

const text = suite('IR text')
const json = suite('IR as JSON')

forEachCase('ir', ({ name, path, read }) => {
  text(`${name} prints as it was read`, () => {
    const program = parseProgram(read('expected.ir'))
    expectFile(path('expected.ir'), printProgram(program, { locations: true }))
    assert.equal(parseProgram(printProgram(program, { locations: true })), program)
  })

  text(`${name} without places`, () => {
    const short = printProgram(parseProgram(read('expected.ir')))
    assert.is(printProgram(parseProgram(short)), short)
    assert.not.match(short, / {2}# /)
  })

  json(`${name} is what the schema says, and comes back`, () => {
    const program = parseProgram(read('expected.ir'))
    assert.equal(validateJson(program), program)
    assert.equal(programFromJson(programToJson(program)), program)
  })

  json(`${name}: no key may be misspelt or missing`, () => {
    const program = parseProgram(read('expected.ir'))
    for (const [path, broken] of mutations(program))
      assert.throws(
        () => validateJson(broken),
        (error: unknown) => error instanceof IrFormatError,
        path,
      )
  })
})

text('no expectation is left over', () => orphans('ir'))

/** The program with one key at a time spelt wrong; the attributes of a step are free. */
function* mutations(value: unknown, path = ''): Generator<readonly [string, unknown]> {
  if (typeof value !== 'object' || value === null) return
  for (const [key, child] of Object.entries(value)) {
    const free = Array.isArray(value) || path.endsWith('.attrs')
    if (!free) yield [`${path}.${key}`, { ...without(value, key), [`${key}s`]: child }]
    for (const [where, broken] of mutations(child, `${path}.${key}`))
      yield [where, replaced(value, key, broken)]
  }
}

function without(value: object, key: string): object {
  return Object.fromEntries(Object.entries(value).filter(([each]) => each !== key))
}

function replaced(value: object, key: string, child: unknown): unknown {
  return Array.isArray(value)
    ? value.map((old, i) => (String(i) === key ? child : old))
    : { ...value, [key]: child }
}

json('the path of a mistake is said', () => {
  const program = parseProgram(
    'program P from "p.ltm"\nfunc f() -> () fn {\n}\ntrainer { seed 1 accumulate 1 nonfinite stop }',
  )
  const [f] = program.functions
  const broken = { ...program, functions: [{ ...f, role: 'function' }] }
  assert.throws(() => validateJson(broken), /\/functions\/0\/role/)
})

json('the schema is JSON itself', () => {
  assert.equal(JSON.parse(JSON.stringify(programSchema)), programSchema)
})

json('numbers that JSON lacks survive', () => {
  const special = withLog({
    kind: 'apply',
    operator: 'min',
    args: [Infinity, -Infinity, NaN, -0].map(numberExpr),
  })
  assert.equal(programFromJson(programToJson(special)), special)
})

const numberExpr = (value: number): HostExpr => ({ kind: 'number', value })

/** A program with a hyper, a var, and one expression. */
function withLog(value: HostExpr): Program {
  const program = parseProgram(`program P from "p.ltm"
    hyper lr: float = 1
    hyper epoch: int = 1
    hyper both: int = 1
    var both: float = 1
    on start { log x = 1 bar }
    trainer { seed 1 accumulate 1 nonfinite stop }`)
  return {
    ...program,
    hooks: program.hooks.map(hook => ({
      ...hook,
      body: hook.body.map(statement => (statement.kind === 'log_host' ? { ...statement, value } : statement)),
    })),
  }
}

const shown = (value: HostExpr) => /log x = (.*) bar/.exec(printProgram(withLog(value)))?.[1]

const apply = (operator: HostOperator, ...args: readonly HostExpr[]): HostExpr => ({
  kind: 'apply',
  operator,
  args,
})
const lr: HostExpr = { kind: 'hyper', name: 'lr' }
const one = numberExpr(1)

text('no parentheses but those an expression needs', () => {
  assert.is(shown(apply('mul', apply('add', lr, one), lr)), '(lr + 1) * lr')
  assert.is(shown(apply('add', apply('mul', lr, one), lr)), 'lr * 1 + lr')
  assert.is(shown(apply('sub', lr, apply('sub', lr, one))), 'lr - (lr - 1)')
  assert.is(shown(apply('neg', apply('pow', lr, numberExpr(2)))), '-lr ^ 2')
  assert.is(shown(apply('pow', apply('neg', lr), numberExpr(-2))), '(-lr) ^ -2')
  assert.is(shown(apply('pow', numberExpr(-1), one)), '(-1) ^ 1')
  assert.is(shown(apply('neg', one)), '-(1)')
  assert.is(shown(apply('not', apply('eq', lr, one))), 'not lr == 1')
  assert.is(shown(apply('and', apply('or', lr, lr), lr)), '(lr or lr) and lr')
})

text('a name that means something else says what it is', () => {
  assert.is(shown({ kind: 'hyper', name: 'epoch' }), 'hyper epoch')
  assert.is(shown({ kind: 'clock', clock: 'epoch' }), 'epoch')
  assert.is(shown({ kind: 'hyper', name: 'both' }), 'hyper both')
  assert.is(shown({ kind: 'var', name: 'both' }), 'both')
  assert.is(shown({ kind: 'argument', name: 't' }), 'argument t')
})

const names = fc.constantFrom('lr', 'both', 'epoch', 'if', 'min', 'a.b', 'h[0].w', 'odd name', '', '"')
const operators = fc.constantFrom(...(Object.keys(notations) as HostOperator[])) // the keys of a total record
const exprs = fc.letrec<{ expr: HostExpr }>(tie => ({
  expr: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.double().map(numberExpr),
    fc
      .record({ kind: fc.constantFrom('hyper', 'var', 'argument', 'string').map(kind => kind), name: names })
      .map(({ kind, name }): HostExpr => (kind === 'string' ? { kind, value: name } : { kind, name })),
    names.map((of): HostExpr => ({ kind: 'clock', clock: 'update', of })),
    fc.constantFrom<HostExpr>(
      { kind: 'bool', value: true },
      { kind: 'clock', clock: 'epoch' },
      { kind: 'size', dim: 'max(n, 2) * (m + 1)' },
      { kind: 'size', dim: 3 },
      { kind: 'item', value: 'odd %x' },
    ),
    fc
      .record({ operator: operators, args: fc.array(tie('expr'), { minLength: 1, maxLength: 2 }) })
      .map(({ operator, args }) =>
        apply(operator, ...(notations[operator].place === 'prefix' ? args.slice(0, 1) : args)),
      ),
    fc
      .tuple(tie('expr'), tie('expr'), tie('expr'))
      .map(([condition, then, otherwise]): HostExpr => ({ kind: 'choose', condition, then, otherwise })),
  ),
})).expr

text('every host expression reads back', () => {
  fc.assert(
    fc.property(exprs, expr => {
      const program = withLog(expr)
      assert.equal(parseProgram(printProgram(program)), program)
    }),
    { numRuns: 300 },
  )
})

text('one function', () => {
  const program = parseProgram(`program P from "p.ltm"
    func f(%x: f32[n]) -> (%y) fn { # p.ltm:1:1
      %y: f32[n] = relu %x # p.ltm:2:2
    }
    trainer { seed 1 accumulate 1 nonfinite stop }`)
  const f = program.functions[0]!
  assert.is(printFunc(f), 'func f(%x: f32[n]) -> (%y) fn {\n  %y: f32[n] = relu %x\n}\n')
  assert.match(printFunc(f, { locations: true }), '# p.ltm:2:2')
})

const broken: readonly (readonly [string, string, number, number])[] = [
  ['nothing', '', 1, 1],
  ['an unknown section', 'program P from "p"\n  hypers lr', 2, 3],
  ['a type', 'program P from "p"\nparameter w: f64[2] init i', 2, 14],
  ['an unknown name', 'program P from "p"\non start { set x = 1 + y }', 2, 26],
  ['a chain of comparisons', 'program P from "p"\non start { set x = 1 < 2 < 3 }', 2, 28],
  ['an unclosed function', 'program P from "p"\nfunc f() -> () fn {', 2, 20],
  ['documentation of no function', 'program P from "p"\n/// doc\nhyper x: int = 1', 3, 1],
  ['a role', 'program P from "p"\nfunc f() -> () thing {', 2, 16],
  ['more behind the end', 'program P from "p"\ntrainer { seed 1 accumulate 1 nonfinite stop }\nmore', 3, 1],
  ['a bad escape', 'program P from "\\q"', 1, 20],
]

for (const [what, source, line, column] of broken)
  text(`${what} is refused with its place`, () => {
    try {
      parseProgram(source)
    } catch (error) {
      assert.instance(error, IrSyntaxError)
      if (error instanceof IrSyntaxError)
        assert.equal([error.line, error.column], [line, column], error.message)
      return
    }
    assert.unreachable('it was accepted')
  })

text.run()
json.run()
