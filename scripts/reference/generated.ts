import { diagnosticsPage } from './diagnostics.ts'
import { operatorsPage } from './operators.ts'
import { stdlibPage } from './stdlib.ts'

/** The pages under docs/ that `npm run docs` writes, by name. */
export const generatedPages = {
  'operators.md': operatorsPage,
  'stdlib.md': stdlibPage,
  'diagnostics/README.md': diagnosticsPage,
} as const
