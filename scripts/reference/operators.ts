import { families, findOp, isOp } from '../../src/ops/index.ts'
import type { Op } from '../../src/ops/op.ts'
import { opening, page } from './page.ts'

const legend = `Functions that are built in; all others are written in the language and listed in [stdlib.md](stdlib.md). In the
signatures \`F\` stands for a float dtype, \`N\` for a number, \`I\` for an integer, \`B\` for a bool, \`T\` for any; equal letters
agree. \`...b\` is any number of axes, and \`~s\` are axes that broadcast: absent leading ones are added, a literal 1 is stretched.
Behind the signature stand the arguments that are no tensors, in the order in which a call may give them. Operators that
share a name in calls are told apart by their arguments; those without one are written by signs, or by the compiler.`

/** Every primitive operator, by family. */
export function operatorsPage(): string {
  const sections = Object.entries(families)
    .toSorted(([a], [b]) => a.localeCompare(b))
    .flatMap(([family, entries]) => [
      `## ${family}`,
      ...Object.keys(entries)
        .filter(isOp)
        .sort()
        .flatMap(name => {
          const op = findOp(name)
          return op ? [section(name, op)] : []
        }),
    ])
  return page([opening('Operators', 'src/ops'), legend, ...sections])
}

function section(name: string, op: Op): string {
  const called = op.call === false ? [] : [`Called \`${op.call ?? name}\`.`]
  const gradient = op.grad === 'none' ? ['No gradient.'] : []
  const facts = [...called, ...gradient]
  const signature = ['```text', op.signature, ...attributes(op), '```'].join('\n')
  return page([`### ${name}`, op.doc, signature, ...(facts.length > 0 ? [facts.join(' ')] : [])]).trimEnd()
}

function attributes({ attrs = {} }: Op): readonly string[] {
  return Object.entries(attrs).map(([name, { kind, default: fallback }]) =>
    fallback === undefined ? `  ${name}: ${kind}` : `  ${name}: ${kind} = ${JSON.stringify(fallback)}`,
  )
}
