import { families, findOp, isOp } from '../src/ops/index.ts'
import type { Op } from '../src/ops/op.ts'

// Prints the operator table by family: name, how it is called, signature and attributes, gradient, lifting, samples.

const columns = ['operator', 'called', 'signature', 'attributes', 'gradient', 'lift', 'samples']

function attributes({ attrs = {} }: Op): string {
  return Object.entries(attrs)
    .map(
      ([name, { kind, default: fallback }]) =>
        `${name}: ${kind}${fallback === undefined ? '' : ` = ${JSON.stringify(fallback)}`}`,
    )
    .join(', ')
}

function liftOf({ lift }: Op): string {
  return lift === undefined ? '–' : lift === 'elementwise' ? 'as it is' : 'yes'
}

function row(name: string, op: Op): string[] {
  const called = op.call === false ? '–' : (op.call ?? name)
  const gradient = op.grad === 'none' ? '–' : 'yes'
  return [name, called, op.signature, attributes(op), gradient, liftOf(op), String(op.samples.length)]
}

function print(rows: readonly (readonly string[])[]): void {
  const widths = columns.map((_, i) => Math.max(...rows.map(cells => cells[i]!.length)))
  for (const cells of rows)
    console.log(
      cells
        .map((cell, i) => cell.padEnd(widths[i]!))
        .join('  ')
        .trimEnd(),
    )
}

for (const [family, entries] of Object.entries(families)) {
  console.log(`\n${family}`)
  print([
    columns,
    ...Object.keys(entries)
      .filter(isOp)
      .map(name => row(name, findOp(name)!)),
  ])
}
