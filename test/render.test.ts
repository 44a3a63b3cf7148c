import { stripVTControlCharacters } from 'node:util'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Source, Span } from '../src/base/source.ts'
import { type Renderable, renderDiagnostic, renderJson, summarize } from '../src/diagnostics/render.ts'

const test = suite('render')

/** The span of the first occurrence of a text. */
function at(source: Source, text: string): Span {
  const start = source.text.indexOf(text)
  assert.ok(start >= 0, `the source holds ${text}`)
  return { source, start, end: start + text.length }
}

function shown(d: Partial<Renderable> & Pick<Renderable, 'span'>, width = 100): readonly string[] {
  const full: Renderable = {
    code: 'LTM2101',
    severity: 'error',
    message: 'this does not fit',
    note: undefined,
    labels: [],
    help: undefined,
    fix: undefined,
    ...d,
  }
  return renderDiagnostic(full, { color: false, width }).split('\n')
}

const lines = (count: number, last: string) => `${'\n'.repeat(count - 1)}${last}\n`

test('the example of the language tour, to the letter', () => {
  const source = { name: 'examples/digits.ltm', text: lines(31, '    let logits = net(batch.image)') }
  assert.equal(
    shown({
      message: '`Mlp` cannot take this input: it has 4 axes, not 2',
      span: at(source, 'batch.image'),
      note: [
        'expected f32[n, 64]          (Mlp.forward, stdlib/layers.ltm:9)',
        'got      f32[n, 1, 8, 8]    (Digits.image, line 4)',
      ].join('\n'),
      help: '`flatten(batch.image)` is f32[n, 64]',
    }),
    [
      'error[LTM2101]: `Mlp` cannot take this input: it has 4 axes, not 2',
      '  --> examples/digits.ltm:31:22',
      '   |',
      '31 |     let logits = net(batch.image)',
      '   |                      ^^^^^^^^^^^ expected f32[n, 64]          (Mlp.forward, stdlib/layers.ltm:9)',
      '   |                                  got      f32[n, 1, 8, 8]    (Digits.image, line 4)',
      '   = help: `flatten(batch.image)` is f32[n, 64]',
    ],
  )
})

test('a label on a far line, on the line but one, and on the same line', () => {
  const source = { name: 'a.ltm', text: 'const a = 1\n\n\n\nconst b = 2\n\nconst c = a + b\n' }
  assert.equal(
    shown({
      span: at(source, 'a + b'),
      note: 'here',
      labels: [
        { span: at(source, 'b = 2'), text: 'near' },
        { span: at(source, 'a = 1'), text: 'far\nand long' },
        { span: at(source, 'c'), text: 'an earlier mark' },
        { span: at(source, 'c = a'), text: 'the same line' },
      ],
    }),
    [
      'error[LTM2101]: this does not fit',
      ' --> a.ltm:7:11',
      '  |',
      '1 | const a = 1',
      '  | - an earlier mark',
      '  |       ----- far',
      '  |             and long',
      '...',
      '5 | const b = 2',
      '  |       ----- near',
      '6 |',
      '7 | const c = a + b',
      '  |           ^^^^^ here',
      '  |       ----- the same line',
    ],
  )
})

test('labels in other files have frames of their own, one a file', () => {
  const main = { name: 'main.ltm', text: 'x = 1' }
  const other = { name: 'lib/other.ltm', text: lines(12, 'fn f() = 1\nfn g() = 2') }
  assert.equal(
    shown({
      span: at(main, '1'),
      labels: [
        { span: at(other, 'g'), text: 'the second' },
        { span: at(other, 'f()'), text: 'the first' },
      ],
    }),
    [
      'error[LTM2101]: this does not fit',
      '  --> main.ltm:1:5',
      '   |',
      ' 1 | x = 1',
      '   |     ^',
      '  --> lib/other.ltm:13:4',
      '   |',
      '12 | fn f() = 1',
      '   |    --- the first',
      '13 | fn g() = 2',
      '   |    - the second',
    ],
  )
})

test('a span of several lines is underlined on its first', () => {
  const source = { name: 'a.ltm', text: 'step train(batch) {   \n  skip\n}\n' }
  assert.equal(
    shown({ span: { source, start: 0, end: source.text.length - 1 }, note: 'never ends' }).slice(3),
    ['1 | step train(batch) {', '  | ^^^^^^^^^^^^^^^^^^^ never ends'],
  )
})

test('an empty span, the end of a file and an empty file still have a caret', () => {
  const source = { name: 'a.ltm', text: 'train A {\r\n' }
  const end = source.text.length
  assert.equal(shown({ span: { source, start: 9, end: 9 } }).slice(3), ['1 | train A {', '  |          ^'])
  assert.equal(shown({ span: { source, start: end, end } }).slice(1), [
    ' --> a.ltm:2:1',
    '  |',
    '2 |',
    '  | ^',
  ])
  const empty = { name: 'empty.ltm', text: '' }
  assert.equal(shown({ span: { source: empty, start: 0, end: 0 } }).slice(3), ['1 |', '  | ^'])
})

test('tabs, wide characters, combining marks and emoji keep the carets in place', () => {
  const tabs = { name: 'a.ltm', text: '\tlet\tx = y' }
  assert.equal(shown({ span: at(tabs, 'x') }).slice(3), ['1 |     let x = y', '  |         ^'])
  const wide = { name: 'a.ltm', text: '// 形状 🙂 e\u0301 → x' }
  assert.equal(shown({ span: at(wide, '形状') }).slice(4), ['  |    ^^^^'])
  assert.equal(shown({ span: at(wide, 'x') }).slice(4), [`  | ${' '.repeat(15)}^`])
  assert.equal(shown({ span: at(wide, '🙂') }).slice(4), ['  |         ^^'])
})

test('nothing in a file or a name steers the terminal', () => {
  const source = { name: 'a\u001b[2J.ltm', text: 'x \u001b[31m\u202e y' }
  const text = shown({ span: at(source, 'y'), message: 'no \u001b]0;title\u0007', help: '\u009b1m' }).join(
    '\n',
  )
  assert.not.match(text, /(?!\n)[\p{Cc}\u202e]/u)
  assert.match(text, '1 | x �[31m� y\n  |          ^')
})

test('a long line is clipped around its caret', () => {
  const source = { name: 'a.ltm', text: `${'a'.repeat(100)} here ${'b'.repeat(100)}` }
  const clipped = shown({ span: at(source, 'here'), note: 'this' }, 44).slice(3)
  assert.equal(clipped, [
    `1 | ...${'a'.repeat(14)} here ${'b'.repeat(14)}...`,
    `  | ${' '.repeat(18)}^^^^ this`,
  ])
  const first = shown({ span: at(source, 'aaa') }, 44).slice(3)
  assert.equal(first, [`1 | ${'a'.repeat(37)}...`, '  | ^^^'])
  const last = { source, start: source.text.length - 2, end: source.text.length }
  assert.equal(shown({ span: last }, 44).slice(3), [`1 | ...${'b'.repeat(37)}`, `  | ${' '.repeat(38)}^^`])
  assert.equal(shown({ span: { source, start: 0, end: source.text.length } }, 44).slice(3), [
    `1 | ${'a'.repeat(37)}...`,
    `  | ${'^'.repeat(40)}`,
  ])
})

test('a note that has no room beside its carets stands below them', () => {
  const source = { name: 'a.ltm', text: 'const total = one + another' }
  const note = 'a note of more words than one can count\nin two lines'
  assert.equal(shown({ span: at(source, 'another'), note }, 44).slice(4), [
    '  |                     ^^^^^^^',
    '  |  a note of more words than one can count',
    '  |  in two lines',
  ])
})

test('a fix shows the lines before and after', () => {
  const source = { name: 'a.ltm', text: lines(9, '  x = 1\n  y') }
  const span = at(source, 'x')
  assert.equal(
    shown({ span, fix: { title: 'write `set`', span, replacement: 'set x' }, help: 'one\ntwo' }).slice(5),
    ['  = help: one', '          two', '  = fix: write `set`', '  |', '9 -   x = 1', '9 +   set x = 1'],
  )
  const whole = at(source, 'x = 1\n  y')
  assert.equal(shown({ span, fix: { title: 'join them', span: whole, replacement: 'z' } }).slice(5), [
    '   = fix: join them',
    '   |',
    ' 9 -   x = 1',
    '10 -   y',
    ' 9 +   z',
  ])
  const long = { title: 'rewrite it', span, replacement: 'a\nb\nc\nd\ne\nf' }
  assert.equal(shown({ span, fix: long }).slice(5), ['  = fix: rewrite it'])
})

test('colour only paints: without its escapes the text is the same', () => {
  const source = { name: 'a.ltm', text: 'x = 1' }
  const span = at(source, 'x')
  const d: Renderable = {
    code: 'LTM2101',
    severity: 'warning',
    message: 'm',
    span,
    note: 'a\nb',
    labels: [{ span, text: 'c' }],
    help: 'h',
    fix: { title: 't', span, replacement: 'y' },
  }
  const colored = renderDiagnostic(d, { color: true, width: 100 })
  assert.ok(colored.startsWith('\u001b[1;33mwarning[LTM2101]\u001b[0m'))
  assert.is(stripVTControlCharacters(colored), renderDiagnostic(d, { color: false, width: 100 }))
})

test('a complaint without a place is its headline and its help', () => {
  assert.equal(shown({ span: undefined, help: 'try that' }), [
    'error[LTM2101]: this does not fit',
    '  = help: try that',
  ])
})

test('the summary counts', () => {
  const of = (...severities: readonly ('error' | 'warning')[]) =>
    summarize(severities.map(severity => ({ severity })))
  assert.is(of('error', 'warning', 'error'), '2 errors, 1 warning')
  assert.is(of('warning', 'warning'), '2 warnings')
  assert.is(of('error'), '1 error')
  assert.is(of(), '')
})

test('JSON has every key and places from 1', () => {
  const source = { name: 'a.ltm', text: 'a\n  bb\nc' }
  const span = at(source, 'bb')
  const place = { file: 'a.ltm', line: 2, column: 3, endLine: 2, endColumn: 5 }
  const base = { code: 'LTM1001', severity: 'error', message: 'm', note: undefined, help: undefined } as const
  assert.equal(
    renderJson({ ...base, span, labels: [{ span, text: 't' }], fix: { title: 'f', span, replacement: 'r' } }),
    {
      ...{ code: 'LTM1001', severity: 'error', message: 'm', ...place, note: null, help: null },
      labels: [{ ...place, text: 't' }],
      fix: { ...place, title: 'f', replacement: 'r' },
    },
  )
  assert.is(renderJson({ ...base, span: undefined, labels: [], fix: undefined }).line, null)
})

test.run()
