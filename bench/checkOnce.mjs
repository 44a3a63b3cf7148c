/**
 * Checks one program with what `npm run build` has built, in a process that has checked nothing before, as `ltm check`
 * does; prints what it took as JSON. It is JavaScript, since a loader of TypeScript would be part of what is measured.
 *
 * The start is all that does not depend on the program: Node, the modules, the lexer and the parser, which are made of the
 * grammar. The work goes from the text to the diagnostics, the reading of what the program names of the library included.
 */
import { readFileSync } from 'node:fs'
import { readLibrary } from '../dist/src/cli/package.js'
import { optimizeLate } from '../dist/src/cli/tiering.js'

optimizeLate('check')
const { check } = await import('../dist/src/checker.js')
const { theParser } = await import('../dist/grammar/parser.js')
const { tokenize } = await import('../dist/grammar/tokens.js')
theParser()
tokenize('')
const text = readFileSync(process.argv[2], 'utf8')
const files = {
  read: name => ({ name, text }),
  resolve: (_, relative) => relative,
  library: readLibrary,
}
const processor = ({ user, system }) => (user + system) / 1000
const started = { startMs: performance.now(), startCpuMs: processor(process.cpuUsage()) }
const { diagnostics } = check('generated.ltm', files)
const ms = performance.now() - started.startMs
const cpuMs = processor(process.cpuUsage()) - started.startCpuMs
console.log(JSON.stringify({ ...started, ms, cpuMs, diagnostics: diagnostics.length }))
