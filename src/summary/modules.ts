import type { Parameter } from '../ir/ir.ts'
import { typeAt } from '../passes/calls.ts'
import { add, type Dim, substitute } from '../types/dim.ts'
import { elementCount, showType, type TensorType } from '../types/tensor.ts'
import { multiplyAddsOf, sum } from './cost.ts'
import type { ModuleCall, Trail } from './work.ts'

/** A module, or a parameter that stands in `train` itself; `parameters` and what follows count those inside as well. */
export interface ModuleSummary {
  readonly path: string
  /** Its last name: `first` of `net.first`. */
  readonly name: string
  /** The module that it is an instance of; absent where no step calls it. */
  readonly type?: string
  /** What it takes and gives where a step first calls it. */
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  /** Calls in one batch. */
  readonly calls: Dim
  readonly parameters: Dim
  /** Those of its parameters that an optimizer moves. */
  readonly trained: Dim
  /** Of its calls in one batch, forwards. */
  readonly multiplyAdds: Dim
  readonly modules: readonly ModuleSummary[]
}

/** The modules of a program under the paths of their parameters, as the first of some steps that calls them does. */
export function modulesOf(
  parameters: readonly Parameter[],
  trails: readonly Trail[],
  isTrained: (parameter: Parameter) => boolean,
): readonly ModuleSummary[] {
  const paths = new Set(parameters.flatMap(({ path }) => prefixesOf(path)))
  const modules = (parent: string): readonly ModuleSummary[] =>
    [...paths].filter(path => parentOf(path) === parent).map(describe)
  const describe = (path: string): ModuleSummary => {
    const inside = parameters.filter(each => each.path === path || each.path.startsWith(`${path}.`))
    const own = inside.find(each => each.path === path)
    const trail = trails.find(each => each.calls.some(call => call.path === path))
    const calls = trail?.calls.filter(call => call.path === path) ?? []
    return {
      path,
      name: path.slice(parentOf(path).length).replace(/^\./, ''),
      ...(calls[0] !== undefined && { type: calls[0].type }),
      inputs: shown(trail, calls[0]?.inputs),
      outputs: own === undefined ? shown(trail, calls[0]?.outputs) : [showType(own.type)],
      calls: known(trail, sum(calls.map(({ times }) => times))),
      parameters: elementsOf(inside),
      trained: elementsOf(inside.filter(isTrained)),
      multiplyAdds: trail === undefined ? 0 : workIn(trail, path),
      modules: modules(path),
    }
  }
  return modules('')
}

/** `net` and `net.first` of `net.first.weight`; a parameter without a module stands for itself. */
function prefixesOf(path: string): readonly string[] {
  const parts = path.split('.')
  return parts.length === 1 ? parts : parts.slice(0, -1).map((_, i) => parts.slice(0, i + 1).join('.'))
}

function parentOf(path: string): string {
  return path.split('.').slice(0, -1).join('.')
}

function shown(trail: Trail | undefined, types: ModuleCall['inputs'] = []): readonly string[] {
  const sizes = { dims: trail?.dims ?? new Map<string, Dim>(), rests: new Map() }
  return types.flatMap(type => {
    const there = typeAt(type, sizes)
    return there === 'key' ? [] : [showType(there)]
  })
}

function known(trail: Trail | undefined, size: Dim): Dim {
  return trail === undefined ? size : substitute(size, trail.dims)
}

/** The elements of all tensors of these types. */
export function elementsOf(held: readonly { readonly type: TensorType }[]): Dim {
  return held.reduce<Dim>((total, { type }) => add(total, elementCount(type.shape) ?? 0), 0)
}

function workIn(trail: Trail, path: string): Dim {
  const inside = trail.works.filter(({ module }) => module === path || module.startsWith(`${path}.`))
  return known(trail, sum(inside.map(multiplyAddsOf)))
}
