import { type Code, ts } from '../../base/code.ts'
import type { Parameter } from '../../ir/ir.ts'
import { type Line, statement } from '../layout.ts'
import { type Env, funcOf, holderName, rootOf, traceOf } from './env.ts'
import { emitFunction, functionValue } from './functions.ts'
import { literal, objectCode } from './literals.ts'
import { quote } from './names.ts'
import { treeLiteral, treeOf } from './paths.ts'

/** One holder for each model; parameters that `train` declares itself are a model without a name. */
export function modelLines(env: Env): readonly Line[] {
  const groups = new Map<string, Parameter[]>()
  for (const parameter of env.program.parameters) {
    const { model } = rootOf(parameter.path)
    groups.set(model, [...(groups.get(model) ?? []), parameter])
  }
  return [...groups].map(([name, parameters]) => statement(modelCode(env, name, parameters)))
}

function modelCode(env: Env, name: string, parameters: readonly Parameter[]): Code {
  const members = parameters.map(parameter => ({ path: rootOf(parameter.path).segments, value: parameter }))
  const tree = treeLiteral(treeOf(members), parameter => parameterCode(env, parameter))
  return ts`const ${holderName(env, 'model', name)} = model(${quote(name)}, ${tree})`
}

function parameterCode(env: Env, { raw, init, constraint, frozen, origin }: Parameter): Code {
  const spec = objectCode([
    ['shape', literal(raw.shape.map(Number))],
    ['init', initCode(env, init)],
    ['constraint', constraint && constraintCode(env, constraint)],
    ['frozen', frozen ? 'true' : undefined],
    ['trace', quote(traceOf(env, origin))],
  ])
  return ts`parameter(${spec})`
}

function initCode(env: Env, init: string): Code {
  return functionValue(env, funcOf(env, init), { kind: 'plain' }, 'model')
}

function constraintCode(
  env: Env,
  { text, name, version, forward, check }: Parameter['constraint'] & object,
): Code {
  const named = (func: string): Code => emitFunction(env, funcOf(env, func), { kind: 'plain' }, 'model').name
  return objectCode([
    ['text', quote(text)],
    ['name', quote(name)],
    ['version', String(version)],
    ['forward', named(forward)],
    ['check', check === undefined ? undefined : named(check)],
  ])
}
