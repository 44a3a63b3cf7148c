/** Checks one generated program in a process that has checked nothing before, and prints what it took as JSON. */
import { readLibrary } from '../src/cli/package.ts'
import { compile } from '../src/compiler.ts'
import { generate } from './generate.ts'

const text = generate(Number(process.argv[2]))
const library = readLibrary()
const files = {
  read: (name: string) => ({ name, text }),
  resolve: (_: string, relative: string) => relative,
  library: () => library,
}
const before = performance.now()
const spent = process.cpuUsage()
const compilation = compile('generated.ltm', files)
const ms = performance.now() - before
const { user, system } = process.cpuUsage(spent)
const cpuMs = (user + system) / 1000
const instances = compilation.programs.reduce((sum, { functions }) => sum + functions.length, 0)
const lines = text.split('\n').length - 1
console.log(JSON.stringify({ lines, ms, cpuMs, diagnostics: compilation.diagnostics.length, instances }))
