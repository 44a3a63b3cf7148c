import { type Code, join, ts } from '../../base/code.ts'
import type { Buffer, Parameter, WeightFile } from '../../ir/ir.ts'
import { type Line, statement } from '../layout.ts'
import { type Env, funcOf, holderName, modelsOf, rootOf, traceOf } from './env.ts'
import { emitFunction, functionValue } from './functions.ts'
import { literal, objectCode } from './literals.ts'
import { quote } from './names.ts'
import { treeLiteral, treeOf } from './paths.ts'

/** One holder for each model; parameters that `train` declares itself are a model without a name. */
export function modelLines(env: Env): readonly Line[] {
  const { parameters, buffers } = env.program
  return modelsOf(env.program).map(name => {
    const own = ({ path }: Parameter | Buffer): boolean => rootOf(env, path).model === name
    return statement(modelCode(env, name, parameters.filter(own), buffers.filter(own)))
  })
}

function modelCode(
  env: Env,
  name: string,
  parameters: readonly Parameter[],
  buffers: readonly Buffer[],
): Code {
  const members = [
    ...parameters.map(each => ({ path: rootOf(env, each.path).segments, value: parameterCode(env, each) })),
    ...buffers.map(each => ({ path: rootOf(env, each.path).segments, value: bufferCode(env, each) })),
  ]
  const tree = treeLiteral(treeOf(members), code => code)
  const file = env.program.weights.find(({ model }) => model === name)
  const args = [quote(name), tree, ...(file === undefined ? [] : [weightsCode(env, file)])]
  return ts`const ${holderName(env, 'model', name)} = model(${join(args)})`
}

function weightsCode(env: Env, { path, rename, missing, unused, origin }: WeightFile): Code {
  return objectCode([
    ['file', quote(path)],
    ['rename', rename.length === 0 ? undefined : literal(rename.map(({ from, to }) => ({ from, to })))],
    ['missing', missing.length === 0 ? undefined : literal(missing)],
    ['unused', unused.length === 0 ? undefined : literal(unused)],
    ['trace', quote(traceOf(env, origin))],
  ])
}

function parameterCode(
  env: Env,
  { raw, init, copies, constraint, projection, frozen, origin }: Parameter,
): Code {
  const spec = objectCode([
    ['shape', literal(raw.shape.map(Number))],
    ['init', initCode(env, init)],
    ['copies', copies && quote(copies)],
    ['constraint', constraint && constraintCode(env, constraint)],
    ['project', projection && named(env, projection.func)],
    ['frozen', frozen ? 'true' : undefined],
    ['trace', quote(traceOf(env, origin))],
  ])
  return ts`parameter(${spec})`
}

function bufferCode(env: Env, { type, init, copies, origin }: Buffer): Code {
  const spec = objectCode([
    ['shape', literal(type.shape.map(Number))],
    ['init', initCode(env, init)],
    ['copies', copies && quote(copies)],
    ['trace', quote(traceOf(env, origin))],
  ])
  return ts`buffer(${spec})`
}

function initCode(env: Env, init: string): Code {
  return functionValue(env, funcOf(env, init), { kind: 'plain' }, 'model')
}

function constraintCode(
  env: Env,
  { text, name, version, forward, check, start, buffers }: Parameter['constraint'] & object,
): Code {
  return objectCode([
    ['text', quote(text)],
    ['name', quote(name)],
    ['version', String(version)],
    ['forward', named(env, forward)],
    ['check', check === undefined ? undefined : named(env, check)],
    ['start', start === undefined ? undefined : initCode(env, start)],
    ['buffers', buffers && literal(buffers)],
  ])
}

function named(env: Env, func: string): Code {
  return emitFunction(env, funcOf(env, func), { kind: 'plain' }, 'model').name
}
