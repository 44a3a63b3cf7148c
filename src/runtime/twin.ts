import type { OptimizerState } from './optimizer.ts'
import type { Session } from './session.ts'
import { modelOf, type OptimizerHolder, type StepSpec, type Training } from './training.ts'

/** A step in a run that can run it. */
export interface RunnableStep {
  readonly session: Session
  readonly step: StepSpec
}

/**
 * A step as the program has it that runs operator by operator and is watched, where the run's own is compiled. Both
 * programs come from one file, so that parts of one are found in the other by their names; the twin works on the tensors
 * of the run.
 */
export async function watchedStep(session: Session, step: StepSpec): Promise<RunnableStep> {
  if (session.watched === undefined) return { session, step }
  const training = await session.watched()
  const own = { ...lent(session, training), optimizers: moversOf(session, training) }
  return {
    session: { ...session, ...own, training, graphs: undefined, updating: undefined },
    step: training.steps[session.training.steps.indexOf(step)] ?? step,
  }
}

/** The twin's own parameters and buffers, with the tensors that the run's have. */
function lent({ parameters, buffers, training: { vars } }: Session, twin: Training): Lent {
  if (twin.vars !== undefined) Object.assign(twin.vars, vars)
  const models = twin.models.map(holder => holder[modelOf])
  const own: Lent = {
    parameters: new Map(models.flatMap(model => model.parameters.map(state => [state.path, state]))),
    buffers: new Map(models.flatMap(model => model.buffers.map(state => [state.path, state]))),
  }
  for (const [path, state] of own.parameters) state.variable = parameters.get(path)?.variable
  for (const [path, state] of own.buffers) state.variable = buffers.get(path)?.variable
  return own
}

type Lent = Pick<Session, 'parameters' | 'buffers'>

function moversOf({ optimizers }: Session, twin: Training): Session['optimizers'] {
  const byName = new Map([...optimizers.values()].map(state => [state.spec.name, state]))
  return new Map(
    twin.optimizers.flatMap((holder): [OptimizerHolder, OptimizerState][] => {
      const state = byName.get(holder.spec.name)
      return state === undefined ? [] : [[holder, { ...state, spec: holder.spec }]]
    }),
  )
}
