import type * as tf from '@tensorflow/tfjs-core'
import { RunError } from './errors.ts'
import {
  type BufferSpec,
  type BufferState,
  type Leaves,
  type ModelHolder,
  type ModelState,
  modelOf,
  type ParameterSpec,
  type ParameterState,
  type ParameterTree,
  type WeightsSpec,
} from './training.ts'

/** Describes a parameter; `model` places it in a tree. */
export function parameter(spec: Omit<ParameterSpec, 'kind'>): ParameterSpec {
  return { ...spec, kind: 'parameter' }
}

/** Describes a buffer; `model` places it in a tree. */
export function buffer(spec: Omit<BufferSpec, 'kind'>): BufferSpec {
  return { ...spec, kind: 'buffer' }
}

/**
 * A tree of parameters and buffers whose leaves read as tensors while a run lasts; without a name its paths start at its
 * members. With `weights` a run starts from the tensors of a file.
 */
export function model<const T extends ParameterTree>(
  name: string,
  tree: T,
  weights?: WeightsSpec,
): Leaves<T> & ModelHolder
// The object mirrors the tree member by member, which a type can't follow through the recursion: hence the overload.
export function model(name: string, tree: ParameterTree, weights?: WeightsSpec): object {
  const state: Growing = { name, parameters: [], buffers: [], weights }
  const root = grow(tree, name, state)
  Object.defineProperty(root, modelOf, { value: state })
  return root
}

interface Growing extends ModelState {
  readonly parameters: ParameterState[]
  readonly buffers: BufferState[]
}

function grow(tree: ParameterTree, path: string, model: Growing): object {
  if (isLeaf(tree)) throw new TypeError('a model is a record or a list of parameters')
  const node: object = Array.isArray(tree) ? [] : {}
  for (const [member, child] of Object.entries<ParameterTree>(tree)) {
    const childPath = pathTo(path, member, Array.isArray(tree))
    Object.defineProperty(node, member, { enumerable: true, ...access(child, childPath, model) })
  }
  return node
}

function access(child: ParameterTree, path: string, model: Growing): PropertyDescriptor {
  if (!isLeaf(child)) return { value: grow(child, path, model) }
  if (child.kind === 'buffer') {
    const state: BufferState = { path, spec: child, variable: undefined, written: undefined }
    model.buffers.push(state)
    return { get: () => state.written ?? variableOf(state) }
  }
  const state: ParameterState = { path, spec: child, variable: undefined }
  model.parameters.push(state)
  return { get: () => variableOf(state) }
}

/** The variable of a parameter or buffer; there is none before a run. */
export function variableOf(state: ParameterState | BufferState): tf.Variable {
  if (state.variable !== undefined) return state.variable
  throw new RunError({
    code: 'LTM6001',
    message: `\`${state.path}\` has no value yet: it gets one when a run starts`,
    trace: state.spec.trace,
    help: 'read parameters in steps and hooks, or after `train(…)` has ended',
  })
}

function isLeaf(tree: ParameterTree): tree is ParameterSpec | BufferSpec {
  return !Array.isArray(tree) && 'kind' in tree && (tree.kind === 'parameter' || tree.kind === 'buffer')
}

function pathTo(path: string, member: string, inList: boolean): string {
  if (inList) return `${path}[${member}]`
  return path === '' ? member : `${path}.${member}`
}
