import type { Program } from '../ir/ir.ts'
import type { Instance } from '../laws/instances.ts'
import { hasRows, lawNames, timesComputed } from '../laws/program.ts'
import type { Place, Subject } from '../laws/subject.ts'
import { startBackend } from '../runtime/backends.ts'
import { inDouble } from '../runtime/double.ts'
import { tf } from '../runtime/index.ts'
import { type Losses, lossesOf } from '../runtime/losses.ts'
import { importGenerated, trainingOf } from './modules.ts'
import type { Compiler } from './ports.ts'

/** The instances of a program of laws, as functions from numbers to numbers. */
export async function subjectsOf(
  program: Program,
  instances: readonly Instance[],
  { emitProgram }: Pick<Compiler, 'emitProgram'>,
  runtimeUrl: string,
): Promise<readonly Subject[]> {
  const text = emitProgram(program, { target: 'javascript', runtime: runtimeUrl, directory: "''" })
  await startBackend('cpu')
  const losses = await lossesOf(trainingOf(await importGenerated(program.name, text)))
  return instances.map((instance, i) => subjectOf(losses, program, instance, i))
}

function subjectOf(losses: Losses, program: Program, instance: Instance, index: number): Subject {
  const names = lawNames(index)
  const { declared, shape } = instance
  const { shape: raw, constraint } = losses.parameter(names.parameter)
  const at = (numbers: readonly number[]) => ({ [names.parameter]: numbers })
  const check = constraint?.check
  return {
    bijective: declared.bijective,
    stateful: declared.stateful,
    shape,
    raw,
    largest: 4,
    forward: numbers => losses.value(names.value, at(numbers)),
    gradient: (numbers, by) => losses.gradient(names.value, at(numbers), names.parameter, by),
    check:
      check &&
      (numbers =>
        tf.tidy(() =>
          Array.from(check(tf.tensor([...numbers], [...shape])).dataSync(), holds => holds === 1),
        )),
    inverse: declared.places.has('inverse')
      ? numbers => losses.value(names.inverse, { [names.input]: numbers })
      : undefined,
    logDet: declared.places.has('log_det')
      ? numbers => losses.value(names.logDet, at(numbers)).reduce((sum, each) => sum + each, 0)
      : undefined,
    two: hasRows(instance) ? numbers => losses.value(names.twoValue, { [names.two]: numbers }) : undefined,
    computed: timesComputed(program, index),
  }
}

/** The place of a backend: what it gives is compared with `cpu`. */
export function placeOf(backend: string): Place {
  return {
    backends: backend === 'cpu' ? ['cpu'] : ['cpu', backend],
    on: async name => void (await startBackend(name)),
    inDouble,
  }
}
