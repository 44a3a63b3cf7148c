import { bug } from '../../base/bug.ts'
import { type Code, join, ts } from '../../base/code.ts'
import type { Step } from '../../ir/ir.ts'
import { type Env, funcOf, type Section } from './env.ts'
import type { EmittedFunction } from './functions.ts'
import { access, leavesOf, type Segment, segmentsOf, type Tree, treeLiteral, treeOf } from './paths.ts'
import { isHostExpr, type Uses } from './uses.ts'
import { type Body, type Bound, hostArguments, type Part, valueCode } from './values.ts'

/** The function that a `call` step calls, emitted before its caller. */
export function calledFunction(env: Env, step: Step, section: Section): EmittedFunction {
  const { func } = step.attrs
  if (typeof func !== 'string') return bug('a call without a function')
  return env.emitFunction(env, funcOf(env, func), { kind: 'plain' }, section)
}

/** Emits the functions that live steps call, in the order in which a reader meets the calls; gives their names. */
export function emitCalled(
  env: Env,
  steps: readonly Step[],
  uses: Uses,
  section: Section,
): readonly string[] {
  const live = steps.filter(({ op, outputs }) => op === 'call' && outputs.some(({ name }) => uses.has(name)))
  return live.map(step => calledFunction(env, step, section).name)
}

/** The inputs of a step that are handed on: a function may not need all members of its module, or its key. */
export function handedOn(env: Env, section: Section): (step: Step) => readonly string[] {
  return step => {
    if (step.op !== 'call') return step.inputs
    const { needed } = calledFunction(env, step, section)
    return step.inputs.filter((_, i) => needed[i])
  }
}

/** `linear(self.hidden[0], x)`: the module, the tensors, host numbers, and at last the key. */
export function callCode(body: Body, step: Step, callee: EmittedFunction): Code {
  const { params } = callee.func
  const given = params.map((param, i) => ({
    param,
    needed: callee.needed[i],
    input: step.inputs[i] ?? bug('a call without an input'),
  }))
  const members = given.filter(({ param, needed }) => needed && param.member !== undefined)
  const tensors = given.filter(({ param }) => param.member === undefined && param.type !== 'key')
  const keys = given.filter(({ param, needed }) => needed && param.type === 'key')
  const args = [
    ...(members.length === 0 ? [] : [selfCode(body, members, callee)]),
    ...tensors.map(({ input }) => valueCode(body, input)),
    ...hostArguments(body, hostInputs(step)),
    ...keys.map(({ input }) => valueCode(body, input)),
  ]
  return ts`${callee.name}(${join(args)})`
}

function hostInputs({ attrs: { host } }: Step) {
  return Array.isArray(host) ? host.filter(isHostExpr) : []
}

interface Handed {
  readonly path: readonly Segment[]
  readonly code: Code
  readonly bound: Bound | undefined
}

/** The module that is handed over: a part of one at hand where the values lie together there, else a literal. */
function selfCode(body: Body, members: readonly Member[], { selfType, parts }: EmittedFunction): Code {
  const handed = members.map(({ param, input }) => {
    const path = segmentsOf(param.member ?? '')
    return { path, value: { path, code: valueCode(body, input), bound: body.values.get(input) } }
  })
  const tree = treeOf<Handed>(handed)
  const whole = commonPlace(tree, 0)
  if (whole !== undefined && selfType !== undefined) {
    for (const [path, part] of parts) learnPart(body, [...whole.segments, path].join('/'), part)
    learnPart(body, whole.segments.join('/'), { type: selfType, size: members.length })
  }
  return treeLiteral(
    tree,
    leaf => leaf.code,
    (part, depth) => {
      const place = commonPlace(part, depth)
      return place && access(place.root, place.segments)
    },
  )
}

/** The fullest type that is known of a part of a module is the one that its own module would give it. */
function learnPart({ parts }: Body, path: string, part: Part): void {
  if (part.size > (parts.get(path)?.size ?? 0)) parts.set(path, part)
}

interface Member {
  readonly param: { readonly member?: string }
  readonly input: string
}

/** The place under which all leaves of a tree lie as the tree has them. */
function commonPlace(tree: Tree<Handed>, depth: number): Place | undefined {
  const starts = leavesOf(tree).map(({ path, bound }) =>
    bound?.kind === 'place' ? prefixOf(bound, path.slice(depth)) : undefined,
  )
  const [first] = starts
  const agree = starts.every(
    start => first && start?.root === first.root && samePath(start.segments, first.segments),
  )
  return agree ? first : undefined
}

interface Place {
  readonly root: string
  readonly segments: readonly Segment[]
}

function prefixOf({ root, segments }: Place, suffix: readonly Segment[]): Place | undefined {
  const at = segments.length - suffix.length
  return at >= 0 && samePath(segments.slice(at), suffix)
    ? { root, segments: segments.slice(0, at) }
    : undefined
}

function samePath(a: readonly Segment[], b: readonly Segment[]): boolean {
  return a.length === b.length && a.every((segment, i) => segment === b[i])
}
