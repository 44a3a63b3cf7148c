import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { tokenize } from '../grammar/tokens.ts'
import { nearest } from '../src/base/names.ts'
import { positionAt, type Source, type Span } from '../src/base/source.ts'
import { syntax } from '../src/diagnostics/catalogue/syntax.ts'
import { type Diagnostic, Diagnostics } from '../src/diagnostics/diagnostic.ts'
import type { File, Node } from '../src/syntax/ast.ts'
import { NodeIds, parse } from '../src/syntax/build.ts'
import { children } from '../src/syntax/walk.ts'

const test = suite('syntax errors')

interface Parsed {
  readonly source: Source
  readonly file: File
  readonly diagnostics: readonly Diagnostic[]
}

function parseText(text: string): Parsed {
  const diagnostics = new Diagnostics()
  const source: Source = { name: 'test.ltm', text }
  return { source, file: parse(source, diagnostics.report, new NodeIds()), diagnostics: diagnostics.list }
}

function shown({ code, span }: Diagnostic): string {
  const { line, column } = positionAt(span.source, span.start)
  return `${code} ${line}:${column}`
}

/** What is left of a file: `Fn(Let Return) Module(Param)`. */
function outline(file: File): string {
  return file.declarations.map(each => `${each.kind}(${itemsOf(each).join(' ')})`).join(' ')
}

function itemsOf(node: Node): readonly string[] {
  if ('members' in node) return node.members.map(member => member.kind)
  return 'body' in node && node.body.kind === 'Block' ? node.body.statements.map(each => each.kind) : []
}

interface Case {
  readonly text: string
  readonly errors: readonly string[]
  readonly left: string
  /** Whether the suggested fixes, applied one after the other, leave no error. */
  readonly fixable?: true
}

const cases: Readonly<Record<string, Case>> = {
  'a misspelt declaration': {
    text: 'modul A() {\n  param w: f32 = 1\n}\nmodule B() {}',
    errors: ['LTM1011 1:1'],
    left: 'Module(Param) Module()',
    fixable: true,
  },
  'a misspelt member': {
    text: 'module A() {\n  parm w: f32 = 1\n  layer b = B()\n}',
    errors: ['LTM1011 2:3'],
    left: 'Module(Param Layer)',
    fixable: true,
  },
  'a misspelt statement': {
    text: 'fn f(x) {\n  let y = 1\n  retrun y\n}',
    errors: ['LTM1011 3:3'],
    left: 'Fn(Let Return)',
    fixable: true,
  },
  'misspelt phases, clauses and members': {
    text: 'train T {\n  step trian(batch) { minimize x }\n  step train(batch) { minimize x ovr mask }\n  stp val(b) { log x }\n}',
    errors: ['LTM1011 2:8', 'LTM1011 3:34', 'LTM1011 4:3'],
    left: 'Train(TrainStep TrainStep TrainStep)',
    fixable: true,
  },
  'misspelt parts of a choice': {
    text: 'fn f(a) = if a than 1 else 2\nfn g(a) = if a then 1 esle 2',
    errors: ['LTM1011 1:16', 'LTM1011 2:23'],
    left: 'Fn() Fn()',
    fixable: true,
  },
  'assignments without a word': {
    text: 'fn f(x) {\n  var y = 1\n  y = 2\n  z = 3\n  return y\n}\nk = 2',
    errors: ['LTM1020 3:3', 'LTM1020 4:3', 'LTM1020 7:1'],
    left: 'Fn(Var SetStatement Let Return) Const()',
    fixable: true,
  },
  'a member without its word': {
    text: 'module A() {\n  b = Linear(1, 2)\n  w: f32 = 1\n  c = 2\n}\ndataset D from csv("x") { image: f32 = column(1) }',
    errors: ['LTM1020 2:3', 'LTM1037 3:3', 'LTM1020 4:3', 'LTM1037 6:27'],
    left: 'Module(Layer Param Let) Dataset(Field)',
    fixable: true,
  },
  'compound assignments': {
    text: 'fn f(x) {\n  var y = 1\n  y += 2\n  set y *= 3 + 1\n  q := 4\n  return y\n}',
    errors: ['LTM1021 3:5', 'LTM1021 4:9', 'LTM1021 5:5'],
    left: 'Fn(Var SetStatement SetStatement SetStatement Return)',
    fixable: true,
  },
  '`**`': {
    text: 'fn f(x) = x ** 2 + y',
    errors: ['LTM1022 1:13'],
    left: 'Fn()',
    fixable: true,
  },
  'absent values': {
    text: 'fn f(x) = g(None, null, nil, undefined)',
    errors: ['LTM1023 1:13', 'LTM1023 1:19', 'LTM1023 1:25', 'LTM1023 1:30'],
    left: 'Fn()',
  },
  'booleans, operators and strings of other languages': {
    text: "fn f(a) = g(True, False) && b || !c === 'x' and d !== 2",
    errors: [
      'LTM1024 1:13',
      'LTM1024 1:19',
      'LTM1024 1:26',
      'LTM1024 1:31',
      'LTM1024 1:34',
      'LTM1024 1:37',
      'LTM1030 1:41',
      'LTM1024 1:51',
    ],
    left: 'Fn()',
    fixable: true,
  },
  'declarations of other languages': {
    text: 'def f(x) { return 1 }\nclass A(k: int) { param w: f32 = 1 }\nfunction g() = 2\nfn h() = 1',
    errors: ['LTM1027 1:1', 'LTM1027 2:1', 'LTM1027 3:1'],
    left: 'Fn(Return) Module(Param) Fn() Fn()',
    fixable: true,
  },
  'a Python function': {
    text: 'def f(x):\n    y = x\n    return y\n\nfn g() = 1',
    errors: ['LTM1027 1:1', 'LTM1032 1:9'],
    left: 'Fn()',
  },
  'Python imports': {
    text: 'import torch\nimport torch.nn as nn\nfrom torch import nn\nfn f() = 1',
    errors: ['LTM1028 1:1', 'LTM1028 2:1', 'LTM1028 3:12'],
    left: 'Fn()',
  },
  semicolons: {
    text: 'fn f(x) {\n  let y = 1;\n  return y;\n}',
    errors: ['LTM1025 2:12'],
    left: 'Fn(Let Return)',
    fixable: true,
  },
  'expressions alone': {
    text: 'fn f(x) {\n  g(x)\n  h(x)\n  x + 1\n  return y\n}',
    errors: ['LTM1026 2:3', 'LTM1026 3:3', 'LTM1026 4:3'],
    left: 'Fn(Return)',
  },
  'chained comparisons': {
    text: 'fn f(a, b, c) = a < b < c\nfn g() = a < b <= c < d\nfn h() = x == y == z',
    errors: ['LTM1007 1:23', 'LTM1007 2:16', 'LTM1007 3:17'],
    left: 'Fn() Fn() Fn()',
    fixable: true,
  },
  '`not` in an operation': {
    text: 'fn f() = a + not b',
    errors: ['LTM1006 1:14'],
    left: 'Fn()',
    fixable: true,
  },
  'a choice in an operation': {
    text: 'fn f(a) = a + if a then 1 else 2\nfn g(a) = h(a * if a then 1 else 2, 3)',
    errors: ['LTM1008 1:15', 'LTM1008 2:17'],
    left: 'Fn() Fn()',
    fixable: true,
  },
  '`=` for `==` and back': {
    text: 'fn f(a) {\n  if a = 1 { return 2 }\n  let x == 3\n  return x\n}',
    errors: ['LTM1034 2:8', 'LTM1034 3:9'],
    left: 'Fn(If Let Return)',
    fixable: true,
  },
  'an argument list that is not closed': {
    text: 'fn f(a) {\n  let x = g(a, 1\n  let y = 2\n  return y\n}\nfn g() = 1',
    errors: ['LTM1015 3:3'],
    left: 'Fn(Let Let Return) Fn()',
    fixable: true,
  },
  'a shape that is not closed': {
    text: 'module A() {\n  forward(x: f32[n, 3 -> f32[n] {\n    return x\n  }\n  param w: f32 = 1\n}',
    errors: ['LTM1010 2:23'],
    left: 'Module(Method Param)',
  },
  'a block that is not closed before a member': {
    text: 'module A() {\n  forward(x: f32[n]) -> f32[n] {\n    return x\n  param w: f32 = 1\n}\nmodule B() {}',
    errors: ['LTM1015 4:3'],
    left: 'Module(Method Param) Module()',
  },
  'an inner block that is not closed': {
    text: 'module A() {\n  forward(x: f32[n]) -> f32[n] {\n    if y {\n      set z = 1\n    return x\n  }\n  param w: f32 = 1\n}\nmodule B() {}',
    errors: ['LTM1015 7:3'],
    left: 'Module(Method Param) Module()',
  },
  'a file that ends too early': {
    text: 'module A() {\n  forward(x: f32[n]) -> f32[n] {\n    let y = 1',
    errors: ['LTM1015 3:13'],
    left: 'Module(Method)',
  },
  'closing brackets that close nothing': {
    text: 'fn f() = 1\n}\nfn g() = 2)',
    errors: ['LTM1017 2:1', 'LTM1017 3:11'],
    left: 'Fn() Fn()',
  },
  'a bracket of the wrong kind': {
    text: 'fn f() = g(1]\nfn h() = 2',
    errors: ['LTM1018 1:13'],
    left: 'Fn() Fn()',
  },
  'missing signs and names': {
    text: 'module A() {\n  param w f32[3]\n  param v: = 3\n  param : f32\n  layer x\n  layer y = \n  layer z = Z()\n}',
    errors: ['LTM1010 2:11', 'LTM1010 3:12', 'LTM1010 4:9', 'LTM1010 6:3', 'LTM1010 7:3'],
    left: 'Module(Param Layer Layer)',
  },
  'missing parentheses of a signature': {
    text: 'module A {\n  forward -> f32 { return 1 }\n}\ntrain T { step train { minimize x } }',
    errors: ['LTM1010 1:10', 'LTM1010 2:11', 'LTM1010 4:22'],
    left: 'Module(Method) Train(TrainStep)',
    fixable: true,
  },
  'words of other places': {
    text: 'fn f() {\n  param w: f32 = 1\n  let x = 2\n  return x\n}\nlet y = 2\nmodule B() { state x: f32 = 0  return 2 }',
    errors: ['LTM1016 2:3', 'LTM1016 6:1', 'LTM1016 7:14'],
    left: 'Fn(Let Return) Const() Module()',
  },
  'reserved words as names': {
    text: 'fn f(in: int) { let set = 3\n return 1 }\nconst if = 1',
    errors: ['LTM1014 1:6', 'LTM1014 1:21', 'LTM1014 3:7'],
    left: 'Fn(Let Return) Const()',
  },
  'named arguments with `=`': {
    text: 'train T {\n  model net = Mlp([1, 2], dropout=0.1, bias=false)\n  optimizer o = Adam(net, lr=0.1)\n}',
    errors: ['LTM1031 2:34', 'LTM1031 3:29'],
    left: 'Train(Model OptimizerMember)',
    fixable: true,
  },
  'a block behind `:`': {
    text: 'fn f(a) {\n  if a:\n    set x = 1\n  return 1\n}',
    errors: ['LTM1032 2:7'],
    left: 'Fn(SetStatement Return)',
  },
  'a result type behind `:`': {
    text: 'module A() { forward(x: f32[n]): f32[n] { return x } }\nfn f(x): f32 = x',
    errors: ['LTM1033 1:32', 'LTM1033 2:8'],
    left: 'Module(Method) Fn()',
    fixable: true,
  },
  'a Python choice': {
    text: 'fn f(a) {\n  let x = 1 if a else 2\n  return x\n}',
    errors: ['LTM1035 2:11'],
    left: 'Fn(Let Return)',
  },
  '`print` as a function': {
    text: 'train T {\n  on epoch_end { print("x")  log loss = 1 }\n}',
    errors: ['LTM1036 2:18'],
    left: 'Train(Hook)',
  },
  'a loop over several lists': {
    text: 'fn f(a) {\n  for x, y in a, [1, 2] { set a = x }\n  return a\n}',
    errors: ['LTM1027 2:15'],
    left: 'Fn(For Return)',
    fixable: true,
  },
  'numbers without a digit at the point': {
    text: 'fn f() = .5 + 1. + 2\nfn g() = 1.',
    errors: ['LTM1009 1:10', 'LTM1009 1:15', 'LTM1009 2:10'],
    left: 'Fn() Fn()',
    fixable: true,
  },
  'a number with two points': {
    text: 'fn f(x) = x[1.2.3]\nfn g() = h(0.77.4, 2)\nfn k() = 1.5.2',
    errors: ['LTM1042 1:13', 'LTM1042 2:12', 'LTM1042 3:10'],
    left: 'Fn() Fn() Fn()',
  },
  '`elif`': {
    text: 'fn f(a) { if a { return 1 } elif b { return 2 } else { return 3 } }',
    errors: ['LTM1024 1:29'],
    left: 'Fn(If)',
    fixable: true,
  },
  'foreign lambdas': {
    text: 'fn f(a) = map(x => x + 1, a)\nfn g(a) = lambda x: x',
    errors: ['LTM1027 1:17', 'LTM1027 2:11'],
    left: 'Fn() Fn()',
  },
  'foreign characters and comments': {
    text: '# comment\nfn g() = a ? b : c\n# again\nfn h() = €',
    errors: ['LTM1029 1:1', 'LTM1001 2:12', 'LTM1001 4:10'],
    left: 'Fn() Fn()',
  },
  strings: {
    text: 'train T { on epoch_end { print "abc\n  log x = 1 } }\nconst s = "a\\q"',
    errors: ['LTM1002 1:32', 'LTM1003 3:13'],
    left: 'Train(Hook) Const()',
  },
  'a point at the end of a line': {
    text: 'fn f(x) {\n  let y = net.\n  let z = 1\n  return z }',
    errors: ['LTM1010 3:3'],
    left: 'Fn(Let Let Return)',
  },
  types: {
    text: 'fn f(x: 3) = 1\nfn g(x: f32[n 3]) = 2\nfn h(x: int(f32) -> int) = 3',
    errors: ['LTM1010 1:9', 'LTM1010 2:15', 'LTM1012 3:9'],
    left: 'Fn() Fn() Fn()',
  },
  prose: {
    text: 'hello world this is prose. It has commas, and (parens).\nfn f() = 1',
    errors: ['LTM1010 1:1'],
    left: 'Fn()',
  },
  'operands that are missing': {
    text: 'fn f() {\n  let x = a +\n  let y = * 3\n  let z = a + + b\n  log x = f(1,\n  minimize z\n  return z\n}',
    errors: ['LTM1010 3:3', 'LTM1010 3:11', 'LTM1010 4:15', 'LTM1015 6:3'],
    left: 'Fn(Let Let Let Log Minimize Return)',
  },
  '`log` of more than a name': {
    text: 'train T { step train(b) { log f(x) = 2\n log x y\n log x = 2 on step } }',
    errors: ['LTM1013 1:31', 'LTM1010 2:8'],
    left: 'Train(TrainStep)',
  },
  'several errors in one module': {
    text: 'module A() {\n  param w: f32[ = 1\n  param v: f32 = ) 2\n  forward(x { return x }\n  layer l = L()\n}',
    errors: ['LTM1010 2:17', 'LTM1010 3:18', 'LTM1010 4:13'],
    left: 'Module(Param Param Method Layer)',
  },
  clauses: {
    text: 'train T { optimizer o = Adam(net, except net.**: { lr: 1 } for i 0..3) }\ndataset D from csv("x") {\n  field x: f32 column(0)\n  split train 0.8, val: 0.2\n}',
    errors: ['LTM1010 1:66', 'LTM1010 3:16', 'LTM1010 4:15'],
    left: 'Train(OptimizerMember) Dataset(Field Split)',
  },
  'blocks without braces': {
    text: 'fn f(a) {\n  for i in 0..3\n    set x = 1\n  while a { set y = 2 }\n  return 1 }',
    errors: ['LTM1010 3:5'],
    left: 'Fn(For While Return)',
  },
  'floor division': {
    text: 'fn f(h) = g((h - 1) // 2)\nfn k() {\n let a = b // 2\n let c = d // stride\n let e = f // stride + 1\n let g = h // one value an example\n let i = 2.5 // 3\n let j = k // (1 + 2) * n\n return a }',
    errors: ['LTM1041 1:21', 'LTM1040 3:12', 'LTM1040 5:12', 'LTM1040 8:12'],
    left: 'Fn() Fn(Let Let Let Let Let Let Return)',
    fixable: true,
  },
}

for (const [name, { text, errors, left }] of Object.entries(cases)) {
  test(name, () => {
    const { file, diagnostics } = parseText(text)
    assert.equal(diagnostics.map(shown), errors)
    assert.is(outline(file), left)
  })
}

test('fixes repair what they claim to repair', () => {
  for (const [name, { text, fixable }] of Object.entries(cases)) {
    if (fixable) assert.equal(parseText(fixed(text)).diagnostics.map(shown), [], name)
  }
})

/** The text after its fixes, one after the other. */
function fixed(text: string): string {
  const fix = parseText(text).diagnostics.find(each => each.fix)?.fix
  if (!fix) return text
  return fixed(text.slice(0, fix.span.start) + fix.replacement + text.slice(fix.span.end))
}

const deep: readonly (readonly [name: string, text: string, code: string])[] = [
  ['parentheses', `const x = ${'('.repeat(10_000)}1${')'.repeat(10_000)}`, 'LTM1004'],
  ['open parentheses', `const x = ${'('.repeat(10_000)}`, 'LTM1004'],
  ['indices', `const x = ${'a['.repeat(2_000)}1${']'.repeat(2_000)}`, 'LTM1004'],
  ['types', `fn f(x: ${'['.repeat(2_000)}f32${']'.repeat(2_000)}) = 1`, 'LTM1004'],
  ['blocks', `fn f() { ${'if a { '.repeat(2_000)}`, 'LTM1004'],
  ['else', `fn f() { ${'if a {} else '.repeat(2_000)} {} }`, 'LTM1004'],
  ['choices', `const x = ${'if a then 1 else '.repeat(2_000)}2`, 'LTM1004'],
  ['rows in rows', `const x = ${'('.repeat(90)}a${`${' + b'.repeat(150)})`.repeat(90)}`, 'LTM1004'],
  ['signs', `const x = ${'-'.repeat(2_000)}1`, 'LTM1005'],
  ['powers', `const x = ${'1 ^ '.repeat(2_000)}1`, 'LTM1005'],
  ['sums', `const x = ${'1 + '.repeat(2_000)}1`, 'LTM1005'],
  ['members', `const x = a${'.b'.repeat(2_000)}`, 'LTM1005'],
  ['pipes', `const x = a${' |> f'.repeat(2_000)}`, 'LTM1005'],
]

test('what is nested too deeply is reported, and its siblings are kept', () => {
  for (const [name, text, code] of deep) {
    const { file, diagnostics } = parseText(`fn before() = 1\n${text}`)
    assert.equal(
      diagnostics.map(each => each.code),
      [code],
      name,
    )
    assert.is(file.declarations[0]?.kind, 'Fn', name)
  }
})

test('every code of the catalogue has a case', () => {
  const texts = [
    ...Object.values(cases).map(each => each.text),
    ...deep.slice(-5).map(([, text]) => text),
    deep[0]?.[1] ?? '',
  ]
  const seen = new Set<string>(texts.flatMap(text => parseText(text).diagnostics.map(each => each.code)))
  assert.equal(
    Object.keys(syntax).filter(code => !seen.has(code)),
    [],
  )
})

test('an unclosed bracket shows where it was opened', () => {
  const opened = (text: string): readonly string[] =>
    parseText(text).diagnostics.flatMap(each =>
      each.labels.map(label => {
        const { line, column } = positionAt(label.span.source, label.span.start)
        return `${line}:${column}`
      }),
    )
  assert.equal(opened('fn f() {\n  let x = g(1, [2]\n  return x\n}'), ['2:12'])
  assert.equal(opened('module A() {\n  forward() {\n    if a {\n      skip\n  }\n  param w: f32\n}'), [
    '3:10',
  ])
  assert.equal(opened('fn f() = g(1]'), ['1:11'])
})

test('an error in one declaration leaves the others alone', () => {
  const names = readdirSync(programs).filter(name => name.endsWith('.ltm'))
  const texts = names.map(name => readFileSync(`${programs}${name}`, 'utf8'))
  const broken = texts
    .flatMap((text, i) => [text, `module Broken${i}( {\n  layer a = (1\n  param : \n}\n`])
    .join('\n')
  const kinds = (text: string) => parseText(text).file.declarations.map(each => each.kind)
  const sound = kinds(texts.join('\n'))
  const left = kinds(broken)
  assert.is(left.length, sound.length + names.length)
})

test('the nearest name is near, and another one', () => {
  assert.is(nearest('modul', ['metric', 'module']), 'module')
  assert.is(nearest('retrun', ['return', 'train']), 'return')
  assert.is(nearest('lenght', ['length', 'width']), 'length')
  assert.is(nearest('x', ['y', 'if']), undefined)
  assert.is(nearest('learning', ['lr']), undefined)
  assert.is(nearest('model', ['model', 'module']), 'module')
})

const programs = fileURLToPath(new URL('./cases/syntax/programs/', import.meta.url))

/** The same numbers on every machine (Mulberry32, T. Ettinger). */
function numbers(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}

/** Deletes, doubles, exchanges or overwrites a piece of a text. */
function damage(text: string, next: () => number): string {
  const { tokens } = tokenize(text)
  const pick = () => tokens[Math.floor(next() * tokens.length)]
  const [a, b] = [pick(), pick()]
  if (!a || !b) return text
  const put = (start: number, end: number, image: string) => text.slice(0, start) + image + text.slice(end)
  const end = a.startOffset + a.image.length
  const ways = [
    () => put(a.startOffset, end, ''),
    () => put(a.startOffset, a.startOffset, `${a.image} `),
    () => put(a.startOffset, end, b.image),
    () => put(a.startOffset, a.startOffset, String.fromCharCode(1 + Math.floor(next() * 300))),
    () => put(end, Math.max(end, Math.min(b.startOffset, end + 300)), ''),
    () => text.slice(0, end),
  ]
  return (ways[Math.floor(next() * ways.length)] ?? (() => text))()
}

test('no text makes the parser throw, and every span lies in the text', () => {
  const texts = readdirSync(programs).map(name => readFileSync(`${programs}${name}`, 'utf8'))
  const pieces = texts.flatMap(text => text.split(/\n(?=[a-z])/))
  let reported = 0
  for (let seed = 1; seed <= 200; seed++) {
    const next = numbers(seed)
    let text = pieces[Math.floor(next() * pieces.length)] ?? ''
    for (let count = 1 + Math.floor(next() * 3); count > 0; count--) text = damage(text, next)
    const { file, diagnostics } = parseText(text)
    const within = ({ start, end }: Span) => start >= 0 && start <= end && end <= text.length
    for (const { span, labels, fix } of diagnostics) {
      assert.ok(within(span) && labels.every(label => within(label.span)) && (!fix || within(fix.span)), text)
    }
    const check = (node: Node): void => {
      assert.ok(within(node.span), `${node.kind} in ${text}`)
      children(node).forEach(check)
    }
    check(file)
    if (diagnostics.length > 0) reported++
  }
  assert.ok(reported > 130)
})

test('random characters are no program, and no accident', () => {
  const next = numbers(7)
  for (let count = 0; count < 40; count++) {
    const codes = Array.from({ length: 200 }, () => Math.floor(next() * (count % 2 === 0 ? 128 : 65536)))
    assert.ok(parseText(String.fromCharCode(...codes)).diagnostics.length > 0)
  }
})

test.run()
