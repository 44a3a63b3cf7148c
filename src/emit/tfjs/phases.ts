import type { Func, Phase, Program, Step } from '../../ir/ir.ts'
import { statementsIn, stepsOf } from './uses.ts'

/** The phases whose steps call a function, directly or through others, by the function's name. */
export function phasesOf(program: Program): ReadonlyMap<string, ReadonlySet<Phase>> {
  const functions = new Map(program.functions.map(func => [func.name, func]))
  const phases = new Map<string, Set<Phase>>()
  const reach = (name: string, phase: Phase): void => {
    const known = phases.get(name) ?? new Set()
    if (known.has(phase)) return
    phases.set(name, known.add(phase))
    for (const called of calledBy(functions.get(name)?.steps ?? [])) reach(called, phase)
  }
  for (const { phase, body } of program.steps) {
    for (const name of calledBy(stepsOf(body))) reach(name, phase)
    for (const host of statementsIn(body)) if (host.kind === 'log_metric') reach(host.func, phase)
  }
  return phases
}

function calledBy(steps: readonly Step[]): readonly string[] {
  return steps.flatMap(({ op, attrs }) => (op === 'call' || op === 'scan' ? [String(attrs.func)] : []))
}

/** What phases and functions are known by. */
interface Known {
  readonly program: Program
  readonly phases: ReadonlyMap<string, ReadonlySet<Phase>>
}

/** Whether only other phases call a function, of whose declaration training calls another specialisation. */
export function isForEvaluation({ program, phases }: Known, func: Func): boolean {
  const own = phases.get(func.name)
  if (own === undefined || own.has('train')) return false
  const { declaration } = func
  return program.functions.some(
    each => each.declaration === declaration && phases.get(each.name)?.has('train'),
  )
}
