import { bug } from '../../base/bug.ts'
import type { Buffer, Func, Metric, Parameter, Program } from '../../ir/ir.ts'

/** What all checks look things up in. */
export interface Facts {
  readonly program: Program
  readonly after: string | undefined
  readonly functions: ReadonlyMap<string, Func>
  readonly parameters: ReadonlyMap<string, Parameter>
  readonly buffers: ReadonlyMap<string, Buffer>
  readonly hypers: ReadonlySet<string>
  readonly vars: ReadonlySet<string>
  readonly optimizers: ReadonlySet<string>
}

/** Gathers what is declared; every name once. */
export function programFacts(program: Program, after: string | undefined): Facts {
  const where = { program, after, place: [] }
  const names = (what: string, items: readonly { readonly name: string }[]) =>
    new Set(once(where, what, items, item => item.name).keys())
  names('dataset', program.datasets)
  names('metric', program.metrics)
  return {
    program,
    after,
    functions: once(where, 'function', program.functions, func => func.name),
    parameters: once(where, 'parameter', program.parameters, parameter => parameter.path),
    buffers: once(where, 'buffer', program.buffers, buffer => buffer.path),
    hypers: names('hyper', program.hypers),
    vars: names('var', program.vars),
    optimizers: names('optimizer', program.optimizers),
  }
}

function once<T>(where: Where, what: string, items: readonly T[], name: (item: T) => string) {
  const found = new Map<string, T>()
  for (const item of items) {
    if (found.has(name(item))) complain(where, `there are two of the ${what} ${name(item)}`)
    found.set(name(item), item)
  }
  return found
}

/** Where something is wrong, from the outside in: `function gelu`, `%y = mul`. */
export interface Where {
  readonly program: Program
  readonly after: string | undefined
  readonly place: readonly string[]
}

/** The place within a place. */
export function inside<W extends { readonly place: readonly string[] }>(where: W, place: string): W {
  return { ...where, place: [...where.place, place] }
}

/** The verifier's complaint. */
export function complain({ program, after, place }: Where, text: string): never {
  const stage = after === undefined ? '' : `After ${after}, `
  return bug(`${stage}the program ${[program.name, ...place].join(', ')}: ${text}.`)
}

/** The function of a name. */
export function functionOf(where: Where & { readonly facts: Facts }, name: string): Func {
  return where.facts.functions.get(name) ?? complain(where, `there is no function ${name}`)
}

/** The metric of a name. */
export function metricOf(where: Where, name: string): Metric {
  return (
    where.program.metrics.find(each => each.name === name) ?? complain(where, `there is no metric ${name}`)
  )
}

/** A place in a program together with what is known of the program. */
export interface Site extends Where {
  readonly facts: Facts
}

/** The outermost place. */
export function rootSite(facts: Facts): Site {
  return { facts, program: facts.program, after: facts.after, place: [] }
}
