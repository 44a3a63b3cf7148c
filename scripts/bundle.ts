import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build, type Plugin } from 'esbuild'
import packageJson from '../package.json' with { type: 'json' }

/**
 * What is built of the sources: Node takes half a millisecond to load a file, and a training would load 500 of them. What is
 * loaded later, the commands and the runtime, stays apart, and what several share is in chunks that are named by their content.
 */

const { dependencies, peerDependencies } = packageJson
const root = new URL('../', import.meta.url)
const dist = new URL('dist/', root)

/** What people and their programs load, by `bin` and `exports` in package.json and by {@link moduleUrl}. */
const entries = [
  'src/cli/main.ts',
  'src/cli/threadEntry.ts',
  'src/index.ts',
  'src/runtime/index.ts',
  'src/runtime/typescriptHooks.ts',
]

/** What tests and benchmarks load in processes and threads of their own, where nothing loads TypeScript. */
const insides = [
  'grammar/parser.ts',
  'grammar/tokens.ts',
  'src/checker.ts',
  'src/cli/checkpoints.ts',
  'src/cli/package.ts',
  'src/cli/tiering.ts',
  'src/emit/onnx/graph.ts',
  'src/graphs.ts',
  'src/ir/readJson.ts',
  'src/ir/parse/scanner.ts',
  'src/ir/parse/tensor.ts',
  'src/runtime/engine/ort.ts',
]

/** Chevrotain is 700 small files, most of them lodash's; all others are few files each, or bring native libraries. */
const outside = Object.keys({ ...dependencies, ...peerDependencies }).filter(name => name !== 'chevrotain')

const require = createRequire(import.meta.url)

/** Whether a package is the same CommonJS module for `import` and for `require`. */
function isCommon(name: string): boolean {
  try {
    const { href } = pathToFileURL(require.resolve(name))
    return href === import.meta.resolve(name) && !href.endsWith('.mjs') && packageTypeOf(href) !== 'module'
  } catch {
    return false
  }
}

/** What the `package.json` above a file says of its `.js` files. */
function packageTypeOf(file: string): string | undefined {
  let folder = new URL('.', file)
  while (!existsSync(new URL('package.json', folder))) folder = new URL('..', folder)
  const { type }: { type?: string } = JSON.parse(readFileSync(new URL('package.json', folder), 'utf8'))
  return type
}

/**
 * Packages stay outside the bundle. Where Node imports one of CommonJS it first reads all of it twice, to find out that it is one and what it
 * exports, 0.1 s for TensorFlow.js; required, it is the same module at once.
 */
const packages: Plugin = {
  name: 'packages',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^[^./]/ }, ({ path, kind }) => {
      const isOutside = outside.some(name => path === name || path.startsWith(`${name}/`))
      if (!isOutside || kind === 'entry-point') return undefined
      return kind === 'import-statement' && isCommon(path)
        ? { path, namespace: 'common' }
        : { path, external: true }
    })
    onLoad({ filter: /./, namespace: 'common' }, ({ path }) => {
      const names = Object.keys(require(path)).filter(
        name => !/^(default|__esModule)$/.test(name) && /^[\w$]+$/.test(name),
      )
      const contents = `import { createRequire } from 'node:module'
const __package = createRequire(import.meta.url)('${path}')
export const { ${names.join(', ')} } = __package
export default __package`
      return { contents }
    })
  },
}

if (existsSync(dist))
  for (const name of readdirSync(dist, { recursive: true, encoding: 'utf8' }))
    if (/\.js(\.map)?$/.test(name)) rmSync(new URL(name.replaceAll('\\', '/'), dist))

await build({
  absWorkingDir: fileURLToPath(root),
  entryPoints: [...entries, ...insides],
  outdir: fileURLToPath(dist),
  outbase: '.',
  chunkNames: 'chunks/[name]-[hash]',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20.11',
  plugins: [packages],
  logLevel: 'warning',
})
