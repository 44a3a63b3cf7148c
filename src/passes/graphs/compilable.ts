import { bug } from '../../base/bug.ts'
import type { Func, Step, ValueType } from '../../ir/ir.ts'
import { roundsOf, scanOf } from '../../ir/scan.ts'
import { findOp } from '../../ops/index.ts'
import { calledBy } from '../functions.ts'
import { isEffect } from '../values.ts'

/** Rounds of a loop that is written out in a graph; what is longer runs step by step. */
const mostRounds = 512

/** Why a step cannot be a part of a graph, in the user's words; undefined where it can. */
export function obstacle(
  step: Step,
  typeOf: (name: string) => ValueType | undefined,
  functions: ReadonlyMap<string, Func>,
): string | undefined {
  if (step.op === 'host' || isEffect(step) || findOp(step.op) !== undefined) return undefined
  if (step.op === 'call') return obstacleWithin(functions.get(String(step.attrs.func)), functions)
  if (step.op !== 'scan') return `\`${step.op}\` is done step by step`
  const scan = scanOf(step) ?? bug('a scan without its attributes')
  const rounds = roundsOf(scan, typeOf(step.inputs[scan.carried] ?? ''))
  if (typeof rounds !== 'number') return `a loop goes along an axis whose length only a batch tells`
  if (rounds > mostRounds)
    return `a loop has ${rounds} rounds, more than the ${mostRounds} that are written out`
  const body = functions.get(String(step.attrs.func))
  return shows(body, functions) ? 'each round of a loop shows something' : obstacleWithin(body, functions)
}

/** Whether a function or one that it calls has a `debug`. */
function shows(func: Func | undefined, functions: ReadonlyMap<string, Func>): boolean {
  if (func === undefined) return false
  return func.steps.some(isEffect) || calledBy(func.steps).some(name => shows(functions.get(name), functions))
}

function obstacleWithin(func: Func | undefined, functions: ReadonlyMap<string, Func>): string | undefined {
  if (func === undefined) return undefined
  const types = new Map(
    [...func.params, ...func.steps.flatMap(({ outputs }) => outputs)].map(v => [v.name, v.type]),
  )
  for (const step of func.steps) {
    const found = obstacle(step, name => types.get(name), functions)
    if (found !== undefined) return found
  }
  return undefined
}
