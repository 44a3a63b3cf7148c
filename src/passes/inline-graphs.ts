import { bug } from '../base/bug.ts'
import { NameSupply } from '../base/fresh.ts'
import { mapBlocks } from '../ir/blocks.ts'
import type { Func, HostExpr, HostStatement, Program, Step } from '../ir/ir.ts'
import { calledBy } from './functions.ts'
import { Passed } from './graphs/passed.ts'
import { inliner, mapArguments, passedBy } from './inline.ts'
import type { Pass } from './pass.ts'
import { rewriteFunction } from './rewrite.ts'
import { mapExprs } from './values.ts'

/**
 * Puts all bodies in the place of their calls, in graphs and in the bodies of their loops: a graph is made for a machine,
 * and what its functions compute alike is computed once.
 *
 *     func train.graph(%x: f32[n]; h0) -> (%y) graph {          func train.graph(%x: f32[n]; h0) -> (%y) graph {
 *       %y: f32[n] = call scale(%x; h0)                   →       %host: f32[] = host {h0}
 *     }                                                           %y: f32[n] = mul %x, %host
 *
 * So are the updates of optimizers, each of which is compiled whole.
 *
 * Where a function computes with what the host passes, the host passes the result: `1 - lr`, not `lr`.
 */
export const inlineGraphs: Pass = {
  name: 'inline-graphs',
  promise:
    'No graph, and no loop in one, calls a function; their host numbers are handed to them as they need them.',
  run: program => {
    const made = new Graphs(program)
    for (const { name, role } of program.functions) if (role === 'graph') made.graph(name)
    const names = new Set(program.functions.map(func => func.name))
    const updates = new Set(
      program.optimizers.flatMap(({ groups }) => groups.flatMap(({ update }) => update ?? [])),
    )
    const calls = (list: readonly HostStatement[]): readonly HostStatement[] =>
      list.map(statement =>
        statement.kind === 'compute'
          ? { ...statement, step: made.atCall(statement.step) }
          : mapBlocks(statement, calls),
      )
    return {
      ...program,
      functions: [
        ...program.functions.map(
          func => made.known(func.name) ?? (updates.has(func.name) ? made.inlined(func.name) : func),
        ),
        ...made.functions.filter(({ name }) => !names.has(name)),
      ],
      steps: program.steps.map(step => ({ ...step, body: calls(step.body) })),
    }
  },
}

/** A function of a program with all bodies in the place of their calls. */
export function wholeFunction(program: Program, name: string): Func {
  return new Graphs(program).inlined(name)
}

/** A function without calls, and what it takes of the host in terms of what it took before. */
interface Made {
  readonly func: Func
  readonly exprs: readonly HostExpr[]
}

const isEqual = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b)

class Graphs {
  readonly #done = new Map<string, Made>()
  readonly #sources: ReadonlyMap<string, Func>
  readonly #whole = new Map<string, Func>()
  readonly #names = new NameSupply()

  constructor({ functions }: Program) {
    this.#sources = new Map(functions.map(func => [func.name, func]))
    for (const { name } of functions) this.#names.fresh(name)
  }

  /** A graph or the body of a loop under its own name. */
  known(name: string): Func | undefined {
    const func = this.#done.get(name)?.func
    return func?.name === name ? func : undefined
  }

  get functions(): readonly Func[] {
    return [...this.#done.values()].map(({ func }) => func)
  }

  /** A graph, or the body of a loop in one. */
  graph(name: string): Made {
    const known = this.#done.get(name)
    if (known !== undefined) return known
    const passed = new Passed()
    const whole = this.inlined(name)
    const steps = whole.steps.map(step => mapExprs(this.atCall(step), expr => passed.inside(expr)))
    const same = isEqual(steps, this.#sources.get(name)?.steps)
    // The body of a loop may have other readers, who hand it other numbers.
    const own = whole.role === 'graph' || same ? name : this.#names.fresh(`${name}.graph`)
    const made = { func: { ...whole, name: own, steps, hostParams: passed.names }, exprs: passed.exprs }
    this.#done.set(name, made)
    return made
  }

  /** The step with what a graph or the body of a loop takes of the host now. */
  atCall(step: Step): Step {
    const callee = this.#sources.get(String(step.attrs.func))
    if (callee === undefined || (step.op !== 'scan' && callee.role !== 'graph')) return step
    const passed = passedBy(callee, step)
    const { func, exprs } = this.graph(callee.name)
    const { host = [] } = mapArguments({ ...step, attrs: { host: exprs } }, passed).attrs
    return { ...step, attrs: { ...step.attrs, func: func.name, host } }
  }

  /** A function with all bodies in the place of their calls. */
  inlined(name: string): Func {
    const known = this.#whole.get(name)
    if (known !== undefined) return known
    const func = this.#sources.get(name) ?? bug(`there is no function ${name}`)
    for (const called of calledBy(func.steps)) this.inlined(called)
    const whole = rewriteFunction(func, inliner(this.#whole))
    this.#whole.set(name, whole)
    return whole
  }
}
