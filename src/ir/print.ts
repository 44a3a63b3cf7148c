import type { HostScope } from './host.ts'
import type { Func, Program, Step } from './ir.ts'
import {
  bufferLine,
  datasetLines,
  hyperLine,
  metricLines,
  optimizerLines,
  parameterLine,
  varLine,
  weightsLine,
} from './print/declarations.ts'
import { type Line, layout, line } from './print/lines.ts'
import { printName } from './print/names.ts'
import { hookLines, trainingStepLines } from './print/statements.ts'
import { funcLines, stepLine } from './print/tensor.ts'
import { trainerLines } from './print/trainer.ts'

/** How a program is shown. */
export interface PrintOptions {
  /** Puts the place that each line came from behind it: `# digits.ltm:12:3`. */
  readonly locations?: boolean
}

/**
 * The textual form of a program, for snapshots and reviews; parse.ts reads it back. Everything is named as in the
 * source, attributes are sorted, floats are as short as they can be. With locations the text says all of the program.
 */
export function printProgram(program: Program, options: PrintOptions = {}): string {
  return layout(programLines(program), options.locations ?? false)
}

/** The textual form of one function. */
export function printFunc(func: Func, options: PrintOptions = {}): string {
  return layout(funcLines(func, emptyScope), options.locations ?? false)
}

const emptyScope: HostScope = { args: new Set(), vars: new Set(), hypers: new Set() }

function programLines(program: Program): readonly Line[] {
  const scope: HostScope = {
    args: new Set(),
    vars: new Set(program.vars.map(({ name }) => name)),
    hypers: new Set(program.hypers.map(({ name }) => name)),
  }
  const sections: readonly (readonly Line[])[] = [
    [line(`program ${printName(program.name)} from ${JSON.stringify(program.file)}`)],
    program.hypers.map(hyperLine),
    program.vars.map(varLine),
    ...program.datasets.map(datasetLines),
    program.parameters.map(parameterLine),
    program.buffers.map(bufferLine),
    program.weights.map(weightsLine),
    ...program.optimizers.map(optimizer => optimizerLines(optimizer, scope)),
    ...program.metrics.map(metricLines),
    ...program.functions.map(func => funcLines(func, scope)),
    ...program.steps.map(step => trainingStepLines(step, scope)),
    ...program.hooks.map(hook => hookLines(hook, scope)),
    trainerLines(program.trainer, scope),
  ]
  const shown = sections.filter(section => section.length > 0)
  return shown.flatMap((section, i) => (i === 0 ? section : [line(''), ...section]))
}

/** The textual form of one step, without its place. */
export function stepText(step: Step): string {
  return stepLine(step, emptyScope).text
}
