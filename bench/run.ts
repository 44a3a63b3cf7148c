/**
 * `npm run bench [check]`, `npm run bench training [PART…]` or `npm run bench gpu [PART…]`: measures, and prints tables in Markdown.
 * `npm run bench random [COUNT] [FIRST]` measures nothing but tries random programs.
 */
import { argv } from 'node:process'

const benches = ['check', 'training', 'gpu', 'random'] as const
const [asked = 'check', ...parts] = argv.slice(2)
const found = benches.find(name => name === asked)
if (found === undefined) throw new Error(`there is no bench \`${asked}\`, only ${benches.join(', ')}`)
const { bench } = await import(`./${found}.ts`)
await bench(parts)
