import { bug } from '../base/bug.ts'
import type { Func, Step } from '../ir/ir.ts'
import type { FunctionInstance } from './context.ts'

/** An instance of one program that others of the file may take over. */
interface Made {
  readonly instance: FunctionInstance
  /** What it calls, in order. */
  readonly calls: readonly FunctionInstance[]
}

/** What the programs of a file have made, by key. */
export type MadeFunctions = Map<string, Made>

/**
 * The specialised functions of one program. One that another program of the file has made with the same arguments is taken
 * over under the name that it would have been given here, and so is what it calls: it is elaborated once.
 */
export class FunctionTable {
  readonly list: Func[] = []
  /** A name that no other function of the program has. */
  readonly fresh: (name: string) => string
  readonly #byKey = new Map<string, FunctionInstance>()
  readonly #byName = new Map<string, FunctionInstance>()
  readonly #made: MadeFunctions

  constructor(fresh: (name: string) => string, made: MadeFunctions = new Map()) {
    this.fresh = fresh
    this.#made = made
  }

  /** What was made under the first of these keys that is known. */
  find(keys: readonly string[]): FunctionInstance | undefined {
    for (const key of keys) {
      const known = this.#byKey.get(key)
      if (known) return known
    }
    const made = keys.map(key => this.#made.get(key)).find(each => each !== undefined)
    return made && this.#takeOver(made)
  }

  /** Keeps what was made here; other programs may have it too where nothing was `reported` on the way. */
  add(instance: FunctionInstance, reported: boolean): void {
    this.#add(instance)
    const calls = reported ? undefined : this.#callsOf(instance)
    if (calls) this.#made.set(instance.key, { instance, calls })
  }

  #add(instance: FunctionInstance): void {
    this.#byKey.set(instance.key, instance)
    this.#byName.set(instance.func.name, instance)
    // The steps of one that looks at the run go where it is called.
    if (!instance.looksAtRun) this.list.push(instance.func)
  }

  /** Undefined where it depends on more than what it calls: the body of a loop is no instance. */
  #callsOf({ func, looksAtRun }: FunctionInstance): readonly FunctionInstance[] | undefined {
    if (looksAtRun) return undefined
    const calls: FunctionInstance[] = []
    for (const { attrs } of func.steps) {
      if (attrs.func === undefined) continue
      const called = this.#byName.get(String(attrs.func))
      if (!called || !this.#made.has(called.key)) return undefined
      calls.push(called)
    }
    return calls
  }

  #takeOver({ instance, calls }: Made): FunctionInstance {
    const names = new Map<string, string>()
    for (const { key, func } of calls) {
      const own = this.find([key]) ?? bug(`${func.name} was not kept with what calls it`)
      names.set(func.name, own.func.name)
    }
    const taken = { ...instance, func: renamed(instance.func, this.fresh(instance.func.declaration), names) }
    this.#add(taken)
    return taken
  }
}

function renamed(func: Func, name: string, names: ReadonlyMap<string, string>): Func {
  const same = [...names].every(([before, after]) => before === after)
  return { ...func, name, steps: same ? func.steps : func.steps.map(step => calling(step, names)) }
}

function calling(step: Step, names: ReadonlyMap<string, string>): Step {
  const name = names.get(String(step.attrs.func))
  return name === undefined ? step : { ...step, attrs: { ...step.attrs, func: name } }
}
