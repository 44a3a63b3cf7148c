import { writeFileSync } from 'node:fs'
import { generatedPages } from './reference/generated.ts'

// Writes the generated pages of docs/ anew. A test fails where they are out of date.

for (const [name, make] of Object.entries(generatedPages))
  writeFileSync(new URL(`../docs/${name}`, import.meta.url), make())
