import type { Func, Program, Step } from '../ir/ir.ts'
import { scanOf } from '../ir/scan.ts'
import { namesIn, sizesIn } from './calls.ts'
import { liveSteps } from './dead.ts'
import { calledBy, namedDirectly } from './functions.ts'
import type { Pass } from './pass.ts'
import { type Rewriter, type Rewriting, rewriteProgram } from './rewrite.ts'
import { exprsOf, leavesOf, readsOfStep, renameInputs } from './values.ts'

/**
 * Drops parameters that a function doesn't read, and what its calls and loops hand over for them: `weight.log` asks for
 * no `weight`, and the gradient of a linear layer for no offset.
 *
 *     func f(%x: f32[n], %w: f32[n]) -> (%y) { %y = exp %x }          func f(%x: f32[n]) -> (%y) { %y = exp %x }
 *     %h = call f(%a, %b)                                        →    %h = call f(%a)
 *
 * Left alone: what the user passes, for a function reads as it was written: only parts of modules, keys, and what a loop or
 * a gradient takes besides go. So do parameters that alone tell a size, and functions that something else than a step names.
 */
export const removeDeadArguments: Pass = {
  name: 'remove-dead-arguments',
  promise: 'Every function reads the parts of its module that it takes.',
  run: program => {
    const pruned = prune(program)
    if ([...pruned.values()].every(({ dropped }) => dropped.size === 0)) return program
    const functions = program.functions.map(func => pruned.get(func.name)?.func ?? func)
    return { ...rewriteProgram({ ...program, functions: [] }, rewriter(pruned)), functions }
  },
}

interface Pruned {
  readonly func: Func
  /** Places of parameters that are gone. */
  readonly dropped: ReadonlySet<number>
}

function prune(program: Program): ReadonlyMap<string, Pruned> {
  const functions = new Map(program.functions.map(func => [func.name, func]))
  const fixed = namedDirectly(program)
  const carried = placesOfLoops(program)
  const pruned = new Map<string, Pruned>()
  const visit = (name: string): void => {
    const func = functions.get(name)
    if (!func || pruned.has(name)) return
    for (const called of calledBy(func.steps)) visit(called)
    const steps = liveSteps(
      func.steps.map(step => withoutDropped(step, pruned)),
      new Set(func.results),
    )
    const dropped = fixed.has(name) ? new Set<number>() : deadParams(func, steps, carried.get(name) ?? 0)
    pruned.set(name, {
      func: { ...func, steps, params: func.params.filter((_, i) => !dropped.has(i)) },
      dropped,
    })
  }
  for (const { name } of program.functions) visit(name)
  return pruned
}

/** How many parameters of the bodies of loops are carried values and slices. */
function placesOfLoops(program: Program): ReadonlyMap<string, number> {
  const places = new Map<string, number>()
  const note = (step: Step): void => {
    const scan = scanOf(step)
    if (scan) places.set(scan.func, scan.carried + scan.along.length)
  }
  for (const func of program.functions) func.steps.forEach(note)
  rewriteProgram(program, {
    start: () => ({ names: new Map() }),
    steps: steps => {
      steps.forEach(note)
      return steps
    },
    inner: state => state,
  })
  return places
}

function deadParams(func: Func, steps: readonly Step[], loop: number): ReadonlySet<number> {
  const read = new Set([...steps.flatMap(readsOfStep), ...func.results])
  const asked = new Set([
    ...steps.flatMap(step => step.outputs.flatMap(output => sizesIn(output.type))),
    ...steps
      .flatMap(step => exprsOf(step).flatMap(leavesOf))
      .flatMap(leaf => (leaf.kind === 'size' ? namesIn(leaf.dim) : [])),
  ])
  const dead = new Set<number>()
  func.params.forEach((param, i) => {
    if (read.has(param.name) || i < loop || !mayGo(func, i)) return
    const others = func.params.filter((_, k) => k !== i && !dead.has(k)).flatMap(other => sizesIn(other.type))
    if (sizesIn(param.type).every(size => others.includes(size) || !asked.has(size))) dead.add(i)
  })
  return dead
}

/** What a user passes stays; what the compiler hands over goes. */
function mayGo({ role, declaration, params }: Func, i: number): boolean {
  const param = params[i]!
  return (
    param.member !== undefined || param.type === 'key' || role === 'scan' || declaration.endsWith('.gradient')
  )
}

function withoutDropped(step: Step, pruned: ReadonlyMap<string, Pruned>): Step {
  if (step.op !== 'call' && step.op !== 'scan') return step
  const dropped = pruned.get(String(step.attrs.func))?.dropped
  if (!dropped || dropped.size === 0) return step
  return { ...step, inputs: step.inputs.filter((_, i) => !dropped.has(i)) }
}

const rewriter = (pruned: ReadonlyMap<string, Pruned>): Rewriter<Rewriting> => ({
  start: () => ({ names: new Map() }),
  steps: (steps, state) => steps.map(step => withoutDropped(renameInputs(step, state.names), pruned)),
  inner: state => state,
})
