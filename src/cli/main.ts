#!/usr/bin/env node
import type { Cli } from './cli.ts'
import { readVersion } from './package.ts'
import { explain, runCli } from './program.ts'
import { flush, openTerminal } from './terminal.ts'
import { optimizeLate } from './tiering.ts'

optimizeLate(process.argv[2])

/** `.js` where this is built, `.ts` where it runs from the sources. */
const extension = import.meta.url.slice(import.meta.url.lastIndexOf('.'))

const cli: Cli = {
  version: readVersion(),
  terminal: openTerminal(),
  compiler: () => import('../compiler.ts'),
  runtime: async () => (await import('./runtimePort.ts')).runtimePort,
  runtimeUrl: new URL(`../runtime/index${extension}`, import.meta.url).href,
}

process.on('uncaughtException', error => process.exit(explain(error, cli)))
const code = await runCli(process.argv.slice(2), cli)
await flush()
process.exit(code)
