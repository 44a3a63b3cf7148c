/**
 * Checks one program with what `npm run build` has built, in a process that has checked nothing before, as `ltm check`
 * does; prints what it took as JSON. It is JavaScript, since a loader of TypeScript would be part of what is measured.
 */
import { readFileSync } from 'node:fs'
import { readLibrary } from '../dist/src/cli/package.js'
import { optimizeLate } from '../dist/src/cli/tiering.js'

optimizeLate('check')
const { compile } = await import('../dist/src/compiler.js')
const text = readFileSync(process.argv[2], 'utf8')
const files = {
  read: name => ({ name, text }),
  resolve: (_, relative) => relative,
  library: readLibrary,
}
const before = performance.now()
const spent = process.cpuUsage()
const { diagnostics } = compile('generated.ltm', files)
const ms = performance.now() - before
const { user, system } = process.cpuUsage(spent)
console.log(JSON.stringify({ ms, cpuMs: (user + system) / 1000, diagnostics: diagnostics.length }))
