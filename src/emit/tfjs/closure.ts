import type { Optimizer } from '../../ir/ir.ts'
import { blank } from '../layout.ts'
import { plainDocumentation } from './docs.ts'
import type { Env } from './env.ts'
import { claim, functionName } from './names.ts'
import { renderClosure, stepFunction } from './steps.ts'

/** Writes the update of an optimizer that moves its parameters together; gives its name. Others have none. */
export function closureFunction(env: Env, optimizer: Optimizer): string | undefined {
  const { closure, declaration } = optimizer
  if (closure === undefined) return undefined
  const text = renderClosure(env, optimizer, closure)
  const name = claim(env.globals, functionName(`${declaration}.update`), '_')
  env.sections.optimizers.push(() => [plainDocumentation(env, closure), stepFunction(name, text), blank])
  return name
}
