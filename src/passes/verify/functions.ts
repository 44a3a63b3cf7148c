import type { Func } from '../../ir/ir.ts'
import { sizesOf } from '../calls.ts'
import { calledBy } from '../functions.ts'
import { complain, type Facts, inside, rootSite, type Site } from './facts.ts'
import { define, type Scope, typeOf, verifySteps } from './steps.ts'

/** Every function by itself, and that none calls itself. */
export function verifyFunctions(facts: Facts): void {
  const site = rootSite(facts)
  const done = new Set<string>()
  for (const func of facts.program.functions) {
    verifyFunction(inside(site, `function ${func.name}`), func)
    verifyCalls(site, func, [], done)
  }
}

function verifyFunction(site: Site, func: Func): void {
  const scope: Scope = {
    ...site,
    values: new Map(),
    taken: new Set(),
    sizes: sizesOf(func),
    args: new Set(func.hostParams),
  }
  if (scope.args?.size !== func.hostParams.length) complain(site, 'two host parameters have one name')
  for (const param of func.params) define(scope, param.name, param.type)
  verifySteps(scope, func.steps)
  for (const result of func.results) typeOf(inside(scope, 'its results'), result)
  if (func.fields && func.fields.length !== func.results.length)
    complain(site, `${func.fields.length} fields name ${func.results.length} results`)
}

function verifyCalls(site: Site, func: Func, callers: readonly string[], done: Set<string>): void {
  if (callers.includes(func.name)) complain(site, `${[...callers, func.name].join(' calls ')}`)
  if (done.has(func.name)) return
  for (const called of calledBy(func.steps)) {
    const callee = site.facts.functions.get(called)
    if (callee) verifyCalls(site, callee, [...callers, func.name], done)
  }
  done.add(func.name)
}
