import type { HostScope } from './host.ts'
import type {
  Buffer,
  Dataset,
  Func,
  Hook,
  HostVar,
  Hyper,
  Metric,
  Optimizer,
  Parameter,
  Program,
  TrainingStep,
  WeightFile,
} from './ir.ts'
import {
  parseBuffer,
  parseDataset,
  parseHyper,
  parseMetric,
  parseOptimizer,
  parseParameter,
  parseVar,
  parseWeights,
} from './parse/declarations.ts'
import { Scanner } from './parse/scanner.ts'
import { parseHook, parseTrainingStep } from './parse/statements.ts'
import { parseFunc } from './parse/tensor.ts'
import { parseTrainer } from './parse/trainer.ts'

export { IrSyntaxError } from './parse/scanner.ts'

/**
 * Reads the textual form of a program, as print.ts writes it. A place at the end of a line (`# digits.ltm:12:3`) is where
 * what begins on the line came from; other comments, which begin with `#` too, are skipped. Hypers and vars stand before
 * the expressions that use them. Throws an {@link IrSyntaxError}.
 */
export function parseProgram(text: string): Program {
  const s = new Scanner(text)
  s.expect('program')
  const name = s.name()
  s.expect('from')
  const file = s.text()
  const sections = emptySections()
  while (!s.accept('trainer')) parseSection(s, sections)
  const trainer = parseTrainer(s, scopeOf(sections))
  if (!s.done) s.fail('expected nothing behind the trainer')
  return { name, file, ...sections, trainer }
}

interface Sections {
  readonly hypers: Hyper[]
  readonly vars: HostVar[]
  readonly datasets: Dataset[]
  readonly parameters: Parameter[]
  readonly buffers: Buffer[]
  readonly weights: WeightFile[]
  readonly optimizers: Optimizer[]
  readonly metrics: Metric[]
  readonly functions: Func[]
  readonly steps: TrainingStep[]
  readonly hooks: Hook[]
}

function emptySections(): Sections {
  return {
    hypers: [],
    vars: [],
    datasets: [],
    parameters: [],
    buffers: [],
    weights: [],
    optimizers: [],
    metrics: [],
    functions: [],
    steps: [],
    hooks: [],
  }
}

function scopeOf({ vars, hypers }: Sections): HostScope {
  return {
    args: new Set(),
    vars: new Set(vars.map(({ name }) => name)),
    hypers: new Set(hypers.map(({ name }) => name)),
  }
}

function parseSection(s: Scanner, sections: Sections): void {
  const scope = scopeOf(sections)
  const func = parseFunc(s, scope)
  if (func) sections.functions.push(func)
  else parseDeclaration(s, sections, scope)
}

function parseDeclaration(s: Scanner, sections: Sections, scope: HostScope): void {
  const origin = s.origin()
  switch (
    s.oneOf(['hyper', 'var', 'data', 'parameter', 'buffer', 'weights', 'optimizer', 'metric', 'step', 'on'])
  ) {
    case 'hyper':
      return void sections.hypers.push(parseHyper(s, origin))
    case 'var':
      return void sections.vars.push(parseVar(s, origin))
    case 'data':
      return void sections.datasets.push(parseDataset(s, origin))
    case 'parameter':
      return void sections.parameters.push(parseParameter(s, origin))
    case 'buffer':
      return void sections.buffers.push(parseBuffer(s, origin))
    case 'weights':
      return void sections.weights.push(parseWeights(s, origin))
    case 'optimizer':
      return void sections.optimizers.push(parseOptimizer(s, scope, origin))
    case 'metric':
      return void sections.metrics.push(parseMetric(s, origin))
    case 'step':
      return void sections.steps.push(parseTrainingStep(s, scope, origin))
    case 'on':
      return void sections.hooks.push(parseHook(s, scope, origin))
  }
}
