import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Lexer } from 'chevrotain'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { LtmParser } from '../grammar/parser.ts'
import { tokens } from '../grammar/tokens.ts'
import { positionAt, type Source, textOf } from '../src/base/source.ts'
import { readLibrary } from '../src/cli/package.ts'
import { type Diagnostic, Diagnostics } from '../src/diagnostics/diagnostic.ts'
import type { Declaration, File, Node } from '../src/syntax/ast.ts'
import { comments, NodeIds, parse } from '../src/syntax/build.ts'
import { outline } from '../src/syntax/outline.ts'
import { children, visit } from '../src/syntax/walk.ts'
import { expectFile, forEachCase, orphans } from './kit/cases.ts'
import { printLines, printTree } from './kit/tree.ts'

const test = suite('syntax')

interface Parsed {
  readonly file: File
  readonly diagnostics: readonly Diagnostic[]
}

function parseText(text: string, name = 'test.ltm'): Parsed {
  const diagnostics = new Diagnostics()
  const source: Source = { name, text }
  return { file: parse(source, diagnostics.report, new NodeIds()), diagnostics: diagnostics.list }
}

const shown = ({ code, span }: Diagnostic): string => {
  const { line, column } = positionAt(span.source, span.start)
  return `${code} ${line}:${column}`
}

function parseWhole(text: string): File {
  const { file, diagnostics } = parseText(text)
  assert.equal(diagnostics.map(shown), [], text)
  return file
}

/** The printed value of `const x = …`. */
function expression(text: string): string {
  const [only] = parseWhole(`const x = ${text}`).declarations
  assert.is(only?.kind, 'Const', text)
  return only?.kind === 'Const' ? printTree(only.value) : ''
}

function type(text: string): string {
  const [only] = parseWhole(`const x: ${text} = 1`).declarations
  return only?.kind === 'Const' && only.type ? printTree(only.type) : ''
}

function allNodes(root: Node): readonly Node[] {
  const found: Node[] = []
  const walk = (node: Node): void => {
    found.push(node)
    children(node).forEach(walk)
  }
  walk(root)
  return found
}

const programs = fileURLToPath(new URL('./cases/syntax/programs/', import.meta.url))
const programTexts = readdirSync(programs).map(name => readFileSync(`${programs}${name}`, 'utf8'))

test('the grammar has no ambiguity, no left recursion and no unreachable alternative', () => {
  assert.not.throws(() => new LtmParser(false))
  assert.not.throws(
    () => new Lexer([...tokens], { positionTracking: 'onlyOffset', ensureOptimizations: true }),
  )
})

test('whole programs parse without a diagnostic', () => {
  assert.is(programTexts.length, 8)
  for (const text of programTexts) assert.ok(parseWhole(text).declarations.length > 1)
})

forEachCase('syntax/trees', each =>
  test(`tree: ${each.name}`, () => {
    const { file, diagnostics } = parseText(each.read('input.ltm'))
    const lines = [
      ...diagnostics.map(shown),
      ...file.declarations.map(declaration => printLines(declaration)),
    ]
    expectFile(each.path('expected.txt'), `${lines.join('\n')}\n`)
  }),
)

const expressions: readonly (readonly [string, string])[] = [
  // Precedence, loosest first.
  ['if a then b else c + 1', '(Conditional a b (Binary + c 1))'],
  ['fn(x, y: int = 2) = x + y', '(Lambda [(Formal x - -) (Formal y (NamedType int -) 2)] (Binary + x y))'],
  ['0..n - 1', '(Range 0 (Binary - n 1))'],
  ['a..b |> f', '(Range a (Pipe b f))'],
  ['a + b |> f |> g(2)', '(Pipe (Pipe (Binary + a b) f) (Call g [(Positional 2)]))'],
  ['a or b :> bool[n] |> f', '(Pipe (Cast (Binary or a b) (NamedType bool [n])) f)'],
  ['a or b and c or d', '(Binary or (Binary or a (Binary and b c)) d)'],
  ['not a == b', '(Unary not (Binary == a b))'],
  ['not a and not not b', '(Binary and (Unary not a) (Unary not (Unary not b)))'],
  ['a + 1 < b * 2', '(Binary < (Binary + a 1) (Binary * b 2))'],
  ['a - b - c + d', '(Binary + (Binary - (Binary - a b) c) d)'],
  ['a * b / c div d % e @ f', '(Binary @ (Binary % (Binary div (Binary / (Binary * a b) c) d) e) f)'],
  ['2 * x @ w + 1', '(Binary + (Binary @ (Binary * 2 x) w) 1)'],
  ['-x ^ 2', '(Unary - (Binary ^ x 2))'],
  ['-x * y', '(Binary * (Unary - x) y)'],
  ['a - -b', '(Binary - a (Unary - b))'],
  ['2 ^ -1', '(Binary ^ 2 (Unary - 1))'],
  ['2 ^ -x ^ 3 * 4', '(Binary * (Binary ^ 2 (Unary - (Binary ^ x 3))) 4)'],
  ['a ^ b ^ c', '(Binary ^ a (Binary ^ b c))'],
  ['(a ^ b) ^ c', '(Binary ^ (Binary ^ a b) c)'],
  ['-1', '(Unary - 1)'],
  ['--1', '(Unary - (Unary - 1))'],
  ['net.blocks[i](x).T', '(Member (Call (Index (Member net blocks) [i]) [(Positional x)]) T)'],
  ['-f(x)[0]', '(Unary - (Index (Call f [(Positional x)]) [0]))'],
  // Literals.
  ['1_000', '1000'],
  ['2.50e-3', '0.0025f'],
  ['1e3', '1000f'],
  ['100 updates of g', '100 updates of g'],
  ['3 epochs', '3 epochs'],
  ['"a \\"b\\" \\\\ \\n \\t {name} {{"', JSON.stringify('a "b" \\ \n \t {name} {{')],
  ['[true, false]', '(ListLiteral [true false])'],
  ['[]', '(ListLiteral [])'],
  ['[1, 2,]', '(ListLiteral [1 2])'],
  [
    '[f(i, j) for i, j in zip(a, b)]',
    '(Comprehension (Call f [(Positional i) (Positional j)]) [i j] (Call zip [(Positional a) (Positional b)]))',
  ],
  ['{}', '(RecordLiteral [])'],
  [
    '{ h, c: 1, in: 2, "q": 3, model, }',
    '(RecordLiteral [(RecordField h h) (RecordField c 1) (RecordField in 2) (RecordField q 3) (RecordField model model)])',
  ],
  ['{ a: if b then 1 else 2, c }', '(RecordLiteral [(RecordField a (Conditional b 1 2)) (RecordField c c)])'],
  // Arguments, reserved words among their names (F46), and members.
  [
    'f(1, in: 3, let: x.in.set)',
    '(Call f [(Positional 1) (Named in 3) (Named let (Member (Member x in) set))])',
  ],
  [
    'f(layer, where(c, a, b), except)',
    '(Call f [(Positional layer) (Positional (Call where [(Positional c) (Positional a) (Positional b)])) (Positional except)])',
  ],
  ['f(a,)', '(Call f [(Positional a)])'],
  ['f(x: y)', '(Call f [(Named x y)])'],
  // Indices (F11).
  [
    'x[0, a..b, ..b, a.., .., ..., _]',
    '(Index x [0 (Range a b) (Range - b) (Range a -) (Range - -) (Ellipsis) (NewAxis)])',
  ],
  ['x[..-1]', '(Index x [(Range - (Unary - 1))])'],
  ['x[..w div 2, 1..]', '(Index x [(Range - (Binary div w 2)) (Range 1 -)])'],
  // Patterns (F5).
  [
    'rearrange(x : n (h w) _ ... -> n h w 1, h: 4)',
    '(Pattern rearrange [x] [(PatternAxes [(PatternName n) (PatternGroup [(PatternName h) (PatternName w)]) (PatternOne) (PatternRest)])] (PatternAxes [(PatternName n) (PatternName h) (PatternName w) (PatternNumber 1)]) [(Named h 4)])',
  ],
  [
    'reduce(x : n c -> , mean)',
    '(Pattern reduce [x] [(PatternAxes [(PatternName n) (PatternName c)])] (PatternAxes []) [(Positional mean)])',
  ],
  [
    'einsum(a, b + 1 : i k, k j -> i j)',
    '(Pattern einsum [a (Binary + b 1)] [(PatternAxes [(PatternName i) (PatternName k)]) (PatternAxes [(PatternName k) (PatternName j)])] (PatternAxes [(PatternName i) (PatternName j)]) [])',
  ],
  [
    'x |> rearrange(n h -> h n) |> f',
    '(Pipe (Pipe x (Pattern rearrange [] [(PatternAxes [(PatternName n) (PatternName h)])] (PatternAxes [(PatternName h) (PatternName n)]) [])) f)',
  ],
  // A scan (F3).
  [
    'for a, b in zip(x, y) { yield a }',
    '(For [a b] (Call zip [(Positional x) (Positional y)]) (Block [(Yield a)]))',
  ],
]

test('expressions', () => {
  for (const [text, expected] of expressions) assert.is(expression(text), expected, text)
})

test('types', () => {
  const types: readonly (readonly [string, string])[] = [
    ['f32', '(NamedType f32 -)'],
    ['f32[]', '(NamedType f32 [])'],
    [
      'f32[n, 2 * k, ...s, (h - 1) div 2 + 1,]',
      '(NamedType f32 [n (Binary * 2 k) (RestSize s) (Binary + (Binary div (Binary - h 1) 2) 1)])',
    ],
    ['[[int]]', '(ListType (ListType (NamedType int -)))'],
    ['fn', '(FnType fn - -)'],
    ['fn(f32[n], int) -> fn', '(FnType fn [(NamedType f32 [n]) (NamedType int -)] (FnType fn - -))'],
    ['module', '(NamedType module -)'],
    ['module(f32[n]) -> f32', '(FnType module [(NamedType f32 [n])] (NamedType f32 -))'],
    ['like param', '(LikeType param)'],
    [
      '{ h: f32[n], in: int, }',
      '(RecordType [(RecordTypeField h (NamedType f32 [n])) (RecordTypeField in (NamedType int -))])',
    ],
  ]
  for (const [text, expected] of types) assert.is(type(text), expected, text)
})

test('words that are not reserved are names wherever they start nothing', () => {
  const words =
    'const module train param layer forward state field data model step on log skip stop from with over bar'
  for (const word of [...words.split(' '), 'updates', 'val', 'raw', 'except', 'where', 'frozen', 'of']) {
    assert.is(
      expression(`${word} + f(${word}, ${word}: ${word}.${word})`).includes(
        `(Named ${word} (Member ${word} ${word}))`,
      ),
      true,
      word,
    )
    parseWhole(`fn f(${word}: int) { let ${word} = ${word} set ${word} = 1 return ${word} }`)
  }
})

test('line breaks carry no meaning', () => {
  for (const text of programTexts) {
    const flat = text.replaceAll(/\/\/.*$/gm, '').replaceAll(/\s+/g, ' ')
    const trees = [text, flat].map(each => parseWhole(each).declarations.map(printTree))
    assert.equal(trees[1], trees[0])
  }
})

test('an empty file has no declarations and no error', () => {
  for (const text of ['', '\n', '// nothing\n', '\uFEFF']) assert.equal(parseWhole(text).declarations, [])
})

test('`///` belongs to the declaration or member below', () => {
  const file = parseWhole(
    '/// One.\n///\n///   Two.\nfn f() = 1 /// Behind.\n\n//// Not.\n// Not.\nfn g() = 2\n/// Lost.',
  )
  const docs = file.declarations.map(each => each.doc)
  assert.equal(docs, ['One.\n\n  Two.', undefined])
})

test('comments are kept for the formatter', () => {
  const text = '/// Doc.\nfn f() = 1 // end\n// last'
  const found = comments({ name: 'x', text })
  assert.equal(
    found.map(each => each.text),
    ['/// Doc.', '// end', '// last'],
  )
  for (const each of found) assert.is(textOf(each.span), each.text)
})

test('spans cover exactly what was written, ids are unique', () => {
  const seen = new Set<number>()
  for (const text of programTexts) {
    for (const node of allNodes(parseWhole(text))) {
      if (node.kind === 'Name') assert.is(textOf(node.span), node.text)
      if (node.kind === 'Call') assert.match(textOf(node.span), /\)$/)
      for (const child of children(node)) {
        assert.ok(
          child.span.start >= node.span.start && child.span.end <= node.span.end,
          `${child.kind} in ${node.kind}`,
        )
      }
    }
  }
  const ids = new NodeIds()
  for (const text of programTexts) {
    for (const { id } of allNodes(parse({ name: 'x', text }, () => {}, ids))) seen.add(id)
  }
  const count = programTexts.reduce((sum, text) => sum + allNodes(parseWhole(text)).length, 0)
  assert.is(seen.size, count)
})

test('spans of operations run from the first to the last operand', () => {
  const text = 'const x = f(a + -b * c) |> g :> f32'
  const texts = allNodes(parseWhole(text))
    .filter(node => ['Binary', 'Unary', 'Pipe', 'Cast'].includes(node.kind))
    .map(node => textOf(node.span))
  assert.equal(texts, ['f(a + -b * c) |> g :> f32', 'f(a + -b * c) |> g', 'a + -b * c', '-b * c', '-b'])
})

test('children are every node that lies in a node, in the order of the source', () => {
  const isNode = (value: unknown): value is Node =>
    typeof value === 'object' && value !== null && 'kind' in value
  for (const text of programTexts) {
    for (const node of allNodes(parseWhole(text))) {
      const inside = Object.values(node).flat().filter(isNode)
      assert.equal(new Set(children(node)), new Set(inside), node.kind)
      const starts = children(node).map(child => child.span.start)
      assert.equal(
        starts,
        [...starts].sort((a, b) => a - b),
        node.kind,
      )
    }
  }
})

test('a visitor sees nodes of its kinds, and may stay out of a node', () => {
  const file = parseWhole('fn f(a: int) = a + g(b)\nconst c = d')
  const names: string[] = []
  visit(file, { Name: node => names.push(node.text) })
  assert.equal(names, ['f', 'a', 'int', 'a', 'g', 'b', 'c', 'd'])
  const outside: string[] = []
  visit(file, { Name: node => outside.push(node.text), Fn: () => false })
  assert.equal(outside, ['c', 'd'])
})

test('what begins or ends with a group spans its parentheses', () => {
  const texts: string[] = []
  visit(parseWhole('const c = (a - b) / (c + d)'), { Binary: node => texts.push(textOf(node.span)) })
  assert.equal(texts, ['(a - b) / (c + d)', '(a - b)', '(c + d)'])
})

test('a file of 5,000 lines parses', () => {
  const once = programTexts.join('\n')
  const text = once.repeat(Math.ceil(5000 / once.split('\n').length))
  assert.ok(text.split('\n').length >= 5000)
  const kinds = new Set(parseWhole(text).declarations.map((each: Declaration) => each.kind))
  assert.ok(kinds.has('Train') && kinds.has('Constraint'))
})

/** A node without the ids, which depend on what was read before. */
const withoutIds = (node: Node | undefined): unknown =>
  JSON.parse(
    JSON.stringify(node ?? null, (key, value) => (key === 'id' || key === 'source' ? undefined : value)),
  )

test('the library read declaration by declaration is the library read as files', () => {
  for (const source of readLibrary()) {
    const pieces = outline(source, new NodeIds())
    const whole = parseWhole(source.text).declarations
    assert.equal(
      pieces.map(({ name }) => name),
      whole.map(each => ('path' in each ? textOf(each.path.span) : 'name' in each ? each.name.text : '')),
    )
    pieces.forEach(({ read }, i) => {
      assert.equal(withoutIds(read()), withoutIds(whole[i]))
      assert.is(read()?.span.source, source)
      assert.is(read(), read())
    })
  }
})

test('every expectation belongs to a test', () => orphans('syntax'))

test.run()
