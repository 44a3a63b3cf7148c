import { bug } from '../../base/bug.ts'
import { type Code, join, ts } from '../../base/code.ts'
import type { Func, Step } from '../../ir/ir.ts'
import { scanOf } from '../../ir/scan.ts'
import { type Env, funcOf, type Section } from './env.ts'
import type { EmittedFunction } from './functions.ts'
import { listCode } from './literals.ts'
import { quote } from './names.ts'
import { access, leavesOf, type Segment, segmentsOf, type Tree, treeLiteral, treeOf } from './paths.ts'
import { allInputs, countSteps, type InputsOf, isHostExpr, type Uses } from './uses.ts'
import { type Body, type Bound, hostArguments, type Part, valueCode } from './values.ts'

/** The function that a `call` step calls, emitted before its caller. */
export function calledFunction(env: Env, step: Step, section: Section): EmittedFunction {
  const { func } = step.attrs
  if (typeof func !== 'string') return bug('a call without a function')
  return env.emitFunction(env, funcOf(env, func), { kind: 'plain' }, section)
}

/** Whether a step is the call of a graph, which the engine runs: no function of the program stands for it. */
export function isGraphCall(env: Env, { op, attrs }: Step): boolean {
  return op === 'call' && funcOf(env, String(attrs.func)).role === 'graph'
}

/** `run.compute('train.graph', [image, net.weight], [settings.lr])`. */
export function graphCall(body: Body, step: Step): Code {
  const inputs = step.inputs.map(name => valueCode(body, name))
  const numbers = hostArguments(body, hostInputs(step))
  const args = [
    quote(String(step.attrs.func)),
    listCode(inputs),
    ...(numbers.length === 0 ? [] : [listCode(numbers)]),
  ]
  return ts`await run.compute(${join(args)})`
}

/** Emits the functions that live steps call, in the order in which a reader meets the calls; gives their names. */
export function emitCalled(
  env: Env,
  steps: readonly Step[],
  uses: Uses,
  section: Section,
): readonly string[] {
  const live = steps.filter(({ outputs }) => outputs.some(({ name }) => uses.has(name)))
  return live.flatMap(step => {
    if (isGraphCall(env, step)) return []
    if (step.op === 'call') return [calledFunction(env, step, section).name]
    const body = loopBody(env, step)
    return body === undefined ? [] : emitCalled(env, body.steps, usesIn(body, allInputs), section)
  })
}

/** The function that is the body of a loop, which is written where the loop stands; undefined for other steps. */
export function loopBody(env: Env, step: Step): Func | undefined {
  return step.op === 'scan' ? funcOf(env, String(step.attrs.func)) : undefined
}

/** How often each value of a function is read by what leads to its results. */
export function usesIn(func: Func, inputsOf: InputsOf): Uses {
  const uses: Uses = new Map()
  for (const name of func.results) uses.set(name, (uses.get(name) ?? 0) + 1)
  countSteps(func.steps, uses, inputsOf)
  return uses
}

/** The inputs of a step that are handed on: a function may not need all members of its module, or its key. */
export function handedOn(env: Env, section: Section): InputsOf {
  const inputsOf: InputsOf = step => {
    const loop = loopBody(env, step)
    if (loop !== undefined) {
      const uses = usesIn(loop, inputsOf)
      return step.inputs.filter((_, i) => isSequenceOrStart(step, i) || uses.has(loop.params[i]?.name ?? ''))
    }
    if (step.op !== 'call' || isGraphCall(env, step)) return step.inputs
    const { needed } = calledFunction(env, step, section)
    return step.inputs.filter((_, i) => needed[i])
  }
  return inputsOf
}

/** A loop goes along its sequences, and carries on what it starts with, whatever its body reads. */
function isSequenceOrStart(step: Step, input: number): boolean {
  const scan = scanOf(step)
  return scan !== undefined && input < scan.carried + scan.along.length
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
