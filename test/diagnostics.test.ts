import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { compile } from '../src/compiler.ts'
import { hooks } from '../src/diagnostics/catalogue/hooks.ts'
import { names } from '../src/diagnostics/catalogue/names.ts'
import { training } from '../src/diagnostics/catalogue/training.ts'
import { types } from '../src/diagnostics/catalogue/types.ts'
import { renderDiagnostic } from '../src/diagnostics/render.ts'
import { announced, reported } from './kit/announced.ts'
import { areaNames, expectFile, forEachCase, orphans } from './kit/cases.ts'
import { countsSaid } from './kit/counts.ts'
import { libraryFiles } from './kit/files.ts'

const test = suite('diagnostics')

/** The codes of the checker; those of syntax have a test of their own. */
const codes = Object.keys({ ...types, ...names, ...training, ...hooks })

/** `// with --lr 3e-4 --k 2` in a program gives its hypers these values. */
function hypersOf(text: string): ReadonlyMap<string, string> {
  const line = /^\/\/ with (.*)$/m.exec(text)?.[1] ?? ''
  return new Map([...line.matchAll(/--(\S+) (\S+)/g)].map(match => [match[1]!, match[2]!]))
}

for (const code of codes)
  if (areaNames(`diagnostics/${code}`).length > 0)
    forEachCase(`diagnostics/${code}`, ({ name, folder, read, path }) => {
      test(`${code}: ${name}`, () => {
        const text = read('input.ltm')
        const { diagnostics } = compile('input.ltm', libraryFiles(folder), {
          hypers: hypersOf(text),
          counts: countsSaid(text),
        })
        const shown = diagnostics.map(each => renderDiagnostic(each, { color: false, width: 100 }))
        expectFile(path('expected.txt'), `${shown.join('\n\n')}\n`)
        assert.equal(reported(diagnostics, 'input.ltm').toSorted(), announced(text).toSorted())
        assert.ok(diagnostics.some(each => each.code === code))
      })
    })

test('every code has a case', () => {
  assert.equal(
    codes.filter(code => areaNames(`diagnostics/${code}`).length === 0),
    [],
  )
})

test('no case belongs to a code that is gone', () => {
  assert.equal(
    areaNames('diagnostics').filter(code => !codes.includes(code)),
    [],
  )
})

/** Every code that the sources name: those of the catalogue, of the runtime, and of the command line. */
function codesInSources(): readonly string[] {
  const folder = fileURLToPath(new URL('../src/', import.meta.url))
  const sources = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(name =>
    name.endsWith('.ts'),
  )
  const found = sources.flatMap(name => readFileSync(`${folder}${name}`, 'utf8').match(/\bLTM\d{4}\b/g) ?? [])
  return [...new Set(found)].sort()
}

test('every code has a page in docs/diagnostics, and every page a code', () => {
  const names = readdirSync(new URL('../docs/diagnostics/', import.meta.url))
  const explained = names.filter(name => name.startsWith('LTM')).map(name => name.replace('.md', ''))
  const known = codesInSources()
  assert.equal(
    known.filter(code => !explained.includes(code)),
    [],
    'These codes have no page.',
  )
  assert.equal(
    explained.filter(code => !known.includes(code)),
    [],
    'These pages are about codes that are gone.',
  )
})

test('no expectation is left over', () => orphans('diagnostics'))

test.run()
