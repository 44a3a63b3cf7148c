import { existsSync, readdirSync, rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
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
  'src/checker.ts',
  'src/cli/checkpoints.ts',
  'src/cli/package.ts',
  'src/cli/tiering.ts',
  'src/emit/onnx/graph.ts',
  'src/graphs.ts',
  'src/ir/json.ts',
  'src/ir/parse/scanner.ts',
  'src/ir/parse/tensor.ts',
  'src/runtime/engine/ort.ts',
]

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
  // Chevrotain is 700 small files, most of them lodash's. All other packages are few files each, or bring native libraries.
  external: Object.keys({ ...dependencies, ...peerDependencies }).filter(name => name !== 'chevrotain'),
  logLevel: 'warning',
})
