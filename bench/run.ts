/** `npm run bench [check]`, `npm run bench training [PART…]` or `npm run bench gpu [PART…]`: measures, and prints tables in Markdown. */
import { argv } from 'node:process'

const benches = ['check', 'training', 'gpu'] as const
const [asked = 'check', ...parts] = argv.slice(2)
const found = benches.find(name => name === asked)
if (found === undefined) throw new Error(`there is no bench \`${asked}\`, only ${benches.join(' and ')}`)
const { bench } = await import(`./${found}.ts`)
await bench(parts)
