import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { generatedPages } from '../scripts/reference/generated.ts'
import { bug } from '../src/base/bug.ts'
import type { Cli } from '../src/cli/cli.ts'
import { runCli } from '../src/cli/program.ts'
import { catalogue } from '../src/diagnostics/catalogue/index.ts'
import { renderDiagnostic } from '../src/diagnostics/render.ts'
import { expectFile } from './kit/cases.ts'
import {
  type Block,
  blocksOf,
  compileBlock,
  docsFile,
  pages,
  programOf,
  readPage,
  wordBehind,
} from './kit/docs.ts'

const test = suite('docs')

const texts = new Map(pages.map(path => [path, readPage(path)]))
const blocks = [...texts].flatMap(([path, text]) => blocksOf(path, text))
const programs = blocks.filter(block => block.info[0] === 'ltm')
const codes: readonly string[] = Object.keys(catalogue)

/** What is wrong with an example: a failing one has its code and no other, any other has no diagnostics at all. */
function complaint(block: Block): string | undefined {
  const beside = blocks.filter(other => other.file === block.file && other.info.includes('as'))
  const diagnostics = compileBlock(block, beside)
  const wanted = wordBehind(block, 'fails')
  const found = [...new Set<string>(diagnostics.map(each => each.code))]
  if (found.join() === (wanted ?? '')) return undefined
  const shown = diagnostics.map(each => renderDiagnostic(each, { color: false, width: 100 }))
  return `${block.place}: ${wanted ?? 'nothing'} is expected, not ${found.join(', ') || 'nothing'}\n${shown.join('\n')}`
}

for (const path of texts.keys()) {
  const own = programs.filter(block => block.file === path)
  if (own.length > 0)
    test(`${path}: every example does what it says`, () => {
      const complaints = own.flatMap(block => complaint(block) ?? [])
      assert.is(complaints.join('\n\n'), '')
    })
}

/** The pages of codes, by code. */
const explained = new Map(
  pages.flatMap(path => {
    const code = /^docs\/diagnostics\/(LTM\d{4})\.md$/.exec(path)?.[1]
    return code === undefined ? [] : [[code, path] as const]
  }),
)

test('a page of a code has its headline, and where the compiler has the code, an example that fails and one that compiles', () => {
  for (const [code, path] of explained) {
    assert.match(texts.get(path) ?? '', new RegExp(`^# ${code}: \\S.*[^.]\\n\\n`), path)
    if (!codes.includes(code)) continue
    const own = programs.filter(block => block.file === path)
    assert.ok(
      own.some(block => wordBehind(block, 'fails') === code),
      `${path} shows no program that fails`,
    )
    assert.ok(
      own.some(block => !block.info.includes('fails')),
      `${path} shows no program that compiles`,
    )
  }
})

/** The lines that show a command: those of shell blocks, and code within prose. */
const commands = [...texts].flatMap(([path, text]) => [
  ...blocksOf(path, text)
    .filter(block => block.info[0] === 'sh')
    .flatMap(block => block.text.split(/\n|&&/)),
  ...[...text.matchAll(/`(ltm [^`\n]+)`/g)].map(match => match[1] ?? ''),
])

test('every command of ltm that is shown is one, with options that it has', async () => {
  const shown = commands.map(line => line.trim().split(' ')).filter(([program]) => program === 'ltm')
  assert.ok(shown.length > 10)
  for (const [, name = '', ...words] of shown) {
    if (name === 'COMMAND') continue
    const { code, out } = await helpOf(name)
    assert.is(code, 0, `there is no \`ltm ${name}\``)
    for (const word of words.filter(each => /^--?[a-z]/.test(each)))
      assert.ok(hyperFlags.includes(word) || out.includes(word), `\`ltm ${name}\` has no ${word}`)
  }
})

/** Flags in the pages that set a hyper of their example. */
const hyperFlags: readonly string[] = ['--lr', '--batch-size']

async function helpOf(name: string) {
  let out = ''
  const style = { color: false, width: 100 }
  const nothing = () => Promise.reject(new Error('help needs nothing'))
  const terminal = {
    out: (text: string) => {
      out += text
    },
    err: () => {},
    style,
    page: style,
    reporter: nothing,
    interrupts: () => bug('help is not interrupted'),
  }
  const loaded = { checker: nothing, compiler: nothing, runtime: nothing, train: nothing }
  const cli: Cli = { version: '0', terminal, ...loaded, runtimeUrl: '' }
  return { code: await runCli([name, '--help'], cli), out }
}

for (const [name, make] of Object.entries(generatedPages))
  test(`docs/${name} is up to date; \`npm run docs\` writes it`, () => expectFile(docsFile(name), make()))

test('links lead to pages that are there', () => {
  const lost = [...texts].flatMap(([path, text]) =>
    [...text.matchAll(/\]\(([^)#:]+)(#[^)]*)?\)/g)]
      .map(match => new URL(match[1] ?? '', `file:///${path}`).pathname.slice(1))
      .filter(target => target.endsWith('.md') && !texts.has(target) && target !== 'CHANGELOG.md')
      .map(target => `${path} links to ${target}`),
  )
  assert.equal(lost, [])
})

test('the examples are judged', () => {
  const block = (info: string, text: string): Block => ({
    place: 'here:1',
    file: 'here',
    info: info.split(' '),
    text,
  })
  assert.is(complaint(block('ltm', 'fn f(x: f32[n]) -> f32[n] = x\n')), undefined)
  assert.match(complaint(block('ltm', 'fn f(x: f32[n]) -> f32[n] = y\n')) ?? '', 'LTM3001')
  assert.match(complaint(block('ltm fails LTM3001', 'fn f(x: f32[n]) -> f32[n] = x\n')) ?? '', 'not nothing')
  assert.match(complaint(block('ltm fails LTM3002', 'const A: int = y\n')) ?? '', 'not LTM3001')
  assert.throws(() => programOf(block('ltm nowhere', '')), /no docs\/contexts\/nowhere\.ltm/)
  assert.equal(
    blocksOf('a.md', 'x\n\n```ltm\nconst\n```\n').map(each => [each.place, each.text]),
    [['a.md:3', 'const\n']],
  )
})

test.run()
