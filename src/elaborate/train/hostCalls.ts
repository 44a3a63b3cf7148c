import { nearest } from '../../base/names.ts'
import { textOf } from '../../base/source.ts'
import type { HostArgument } from '../../ir/ir.ts'
import type { Arg, CallStatement } from '../../syntax/ast.ts'
import { complain, originOf } from '../context.ts'
import { describe } from '../describe.ts'
import { expression } from '../evaluate.ts'
import { hostNumber } from '../operators.ts'
import { message } from './messages.ts'
import type { StepContext } from './stepContext.ts'

/** `call post("auroc", val.auc.auroc)`: a function of an imported TypeScript file, run where it stands. */
export function callHost(step: StepContext, node: CallStatement): void {
  const { ctx } = step
  const args = node.args.map(arg => argument(step, arg, node.callee.text))
  const callee = ctx.env.lookup(node.callee.text)?.value
  if (!callee) {
    const { text, span } = node.callee
    const near = nearest(text, ctx.env.names())
    const help = `\`call\` runs a function of a TypeScript file: \`import { ${text} } from "./file.ts"\``
    return void complain(ctx, 'LTM3001', span, { name: text, near }, near === undefined ? { help } : {})
  }
  if (callee.kind === 'error') return
  if (callee.kind !== 'host_function')
    return void complain(ctx, 'LTM3027', node.callee.span, { got: describe(callee) })
  if (args.every(arg => arg !== undefined)) {
    const { name, file } = callee
    step.region.body.push({ kind: 'call', name, file, args, origin: originOf(node.span) })
  }
}

function argument(step: StepContext, arg: Arg, callee: string): HostArgument | undefined {
  const { ctx } = step
  if (arg.kind !== 'Positional') return void complain(ctx, 'LTM3028', arg.span, { callee })
  const node = arg.value
  if (node.kind === 'StringLiteral') return { text: message(ctx, node) }
  const value = expression({ ...ctx, expected: undefined }, node)
  if (value.kind === 'error') return void step.training.silent.push(node.span)
  if (value.kind === 'tensor') return { value: value.name }
  if (value.kind === 'string') return { text: [value.text] }
  if (value.kind === 'bool' || value.kind === 'run_string') return { expr: value.expr }
  const number = hostNumber(value)
  if (number) return { expr: number.expr }
  return void complain(ctx, 'LTM2102', node.span, {
    what: `\`${textOf(node.span)}\``,
    expected: 'a number, a bool, a string or a tensor, which TypeScript can take',
    got: describe(value),
  })
}
