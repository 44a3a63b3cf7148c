import type * as tf from '@tensorflow/tfjs-core'
import { RunError } from './errors.ts'
import {
  type Leaves,
  type ModelHolder,
  type ModelState,
  modelOf,
  type ParameterSpec,
  type ParameterState,
  type ParameterTree,
} from './training.ts'

/** Describes a parameter; `model` places it in a tree. */
export function parameter(spec: Omit<ParameterSpec, 'kind'>): ParameterSpec {
  return { ...spec, kind: 'parameter' }
}

/** A tree of parameters whose leaves read as tensors while a run lasts; without a name its paths start at its members. */
export function model<const T extends ParameterTree>(name: string, tree: T): Leaves<T> & ModelHolder
// The object mirrors the tree member by member, which a type can't follow through the recursion: hence the overload.
export function model(name: string, tree: ParameterTree): object {
  const parameters: ParameterState[] = []
  const root = grow(tree, name, parameters)
  const state: ModelState = { name, parameters }
  Object.defineProperty(root, modelOf, { value: state })
  return root
}

function grow(tree: ParameterTree, path: string, parameters: ParameterState[]): object {
  if (isParameter(tree)) throw new TypeError('a model is a record or a list of parameters')
  const node: object = Array.isArray(tree) ? [] : {}
  for (const [member, child] of Object.entries<ParameterTree>(tree)) {
    const childPath = pathTo(path, member, Array.isArray(tree))
    Object.defineProperty(node, member, { enumerable: true, ...access(child, childPath, parameters) })
  }
  return node
}

function access(child: ParameterTree, path: string, parameters: ParameterState[]): PropertyDescriptor {
  if (!isParameter(child)) return { value: grow(child, path, parameters) }
  const state: ParameterState = { path, spec: child, variable: undefined }
  parameters.push(state)
  return { get: () => variableOf(state) }
}

/** The variable of a parameter; there is none before a run. */
export function variableOf(state: ParameterState): tf.Variable {
  if (state.variable !== undefined) return state.variable
  throw new RunError({
    code: 'LTM6001',
    message: `\`${state.path}\` has no value yet: it gets one when a run starts`,
    trace: state.spec.trace,
    help: 'read parameters in steps and hooks, or after `train(…)` has ended',
  })
}

function isParameter(tree: ParameterTree): tree is ParameterSpec {
  return !Array.isArray(tree) && 'kind' in tree && tree.kind === 'parameter'
}

function pathTo(path: string, member: string, inList: boolean): string {
  if (inList) return `${path}[${member}]`
  return path === '' ? member : `${path}.${member}`
}
