import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import * as tf from '@tensorflow/tfjs-core'
import type { Source } from '../../src/base/source.ts'
import { type Compilation, compile, emitProgram, type FileSystem } from '../../src/compiler.ts'
import { renderDiagnostic } from '../../src/diagnostics/render.ts'
import type { Program } from '../../src/ir/ir.ts'
import { rootKey } from '../../src/runtime/random.ts'
import {
  modelOf,
  type ParameterSpec,
  type ParameterState,
  type Run,
  type Tensors,
  type Training,
} from '../../src/runtime/training.ts'
import '@tensorflow/tfjs-backend-cpu'
import { registerGradients } from '../../src/runtime/gradients.ts'

export { inDouble } from '../../src/runtime/double.ts'

registerGradients()

/** An expression of the language over inputs, evaluated on tfjs as a program would. */
export interface Case {
  /** Types by name, `{ x: 'f32[2, 3]' }`. With a constraint, `'f32[3] in simplex'`, the raw value is given. */
  readonly inputs: Readonly<Record<string, string>>
  /** Layers by name: `{ m: 'Linear(3, 2)' }`. Their parameters are inputs too: `m.weight`. */
  readonly layers?: Readonly<Record<string, string>>
  /** One tensor, or a number. */
  readonly value: string
}

/** Values of inputs by name, in row-major order; a number fills its input. */
export type Given = Readonly<Record<string, number | readonly number[]>>

/** A case as a function. */
export interface Evaluation {
  /** The value, as tfjs has it; whoever asks disposes of it. */
  tensor(given: Given): tf.Tensor
  value(given: Given): readonly number[]
  /** The description of an input in the emitted program. */
  parameter(name: string): ParameterSpec
  /** The gradient of the sum of the value, or of its product with `by`, with respect to each input. */
  gradient(given: Given, by?: readonly number[]): Record<string, number[]>
}

const root = fileURLToPath(new URL('../../', import.meta.url))

/** One source in memory beside the standard library as it stands in this repository. */
export function filesOf(text: string): FileSystem {
  const library = (): readonly Source[] =>
    readdirSync(join(root, 'stdlib')).map(name => ({
      name: `stdlib/${name}`,
      text: readFileSync(join(root, 'stdlib', name), 'utf8'),
    }))
  return { read: name => ({ name, text }), resolve: (_, relative) => relative, library }
}

/** Compiles a text; an error in it fails the test with what the compiler says. */
export function compileText(text: string, observe?: (pass: string, program: Program) => void): Compilation {
  const compilation = compile('test.ltm', filesOf(text), observe ? { observe } : {})
  if (compilation.programs.length > 0) return compilation
  const shown = compilation.diagnostics.map(each => renderDiagnostic(each, { color: false, width: 110 }))
  throw new Error(shown.join('\n'))
}

/** Emits a program as JavaScript and imports it; `rewrite` may have a last word on the text. */
export async function importProgram(
  program: Program,
  rewrite: (text: string) => string = text => text,
): Promise<Training> {
  const runtime = new URL('../../src/runtime/index.ts', import.meta.url).href
  const text = emitProgram(program, { target: 'javascript', runtime, directory: 'import.meta.dirname' })
  const folder = mkdtempSync(join(tmpdir(), 'ltm-evaluate-'))
  try {
    const file = join(folder, 'program.mjs')
    writeFileSync(file, rewrite(text))
    const module: { readonly training: Training } = await import(pathToFileURL(file).href)
    return module.training
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** The steps of cases wait for nothing, and a tape sees only what runs at once. */
function synchronous(text: string): string {
  return text.replace(/^async function/gm, 'function')
}

/** All cases in one program, through every phase of the compiler. `source` declares what they need beside the library. */
export async function evaluate<K extends string>(
  cases: Readonly<Record<K, Case>>,
  source = '',
): Promise<Readonly<Record<K, Evaluation>>> {
  const names = Object.keys(cases) as K[] // a record's own keys
  const modules = names.map((name, i) => moduleText(`Case${i}`, cases[name]))
  const models = names.map((_, i) => `  model case${i} = Case${i}()`)
  const steps = names.map((_, i) => `  step predict of_case${i}() { return { value: case${i}(0.0) } }`)
  const text = `${source}\n${modules.join('\n')}\ntrain Cases {\n${[...models, ...steps, '  trainer { epochs: 1 }'].join('\n')}\n}\n`
  const training = await importProgram(compileText(text).programs[0]!, synchronous)
  const entries = names.map((name, i) => [name, evaluationOf(training, i)])
  // Object.fromEntries forgets the keys, which are those of the cases.
  return Object.fromEntries(entries) as Record<K, Evaluation>
}

function moduleText(name: string, { inputs, layers = {}, value }: Case): string {
  const members = [
    ...Object.entries(inputs).map(([input, type]) => `  param ${input}: ${type}${startOf(type)}`),
    ...Object.entries(layers).map(([layer, made]) => `  layer ${layer} = ${made}`),
    `  forward(_unused: f32) = ${value}`,
  ]
  return `module ${name}() {\n${members.join('\n')}\n}`
}

/** Without a start value a constrained parameter starts at raw 0; others must have one. */
function startOf(type: string): string {
  return / in |=/.test(type) ? '' : ' = zeros()'
}

function evaluationOf(training: Training, index: number): Evaluation {
  const prefix = `case${index}.`
  const states = training.models
    .flatMap(model => model[modelOf].parameters)
    .filter(({ path }) => path.startsWith(prefix))
  const step = training.steps.find(({ name }) => name === `of_case${index}`)!
  const run = (): tf.Tensor => (step.run(idleRun) as unknown as Tensors).value! // see synchronous
  return {
    // A copy, since the value may be the input itself, which is freed.
    tensor: given => within(states, prefix, given, () => tf.clone(run())),
    parameter: name => states.find(({ path }) => path === prefix + name)!.spec,
    value: given => within(states, prefix, given, () => numbersOf(run())),
    gradient: (given, by) =>
      within(states, prefix, given, () => {
        const total = (): tf.Scalar => {
          const value = run()
          return tf.sum(by ? tf.mul(value, tf.tensor([...by], value.shape)) : value)
        }
        const { grads } = tf.variableGrads(total)
        return Object.fromEntries(
          // The tape leaves out what the value does not reach.
          states.map(({ path, variable }) => [
            path.slice(prefix.length),
            numbersOf(grads[variable!.name] ?? tf.zerosLike(variable!)),
          ]),
        )
      }),
  }
}

/** Gives inputs their values while `use` runs. */
function within<T extends tf.TensorContainer>(
  states: readonly ParameterState[],
  prefix: string,
  given: Given,
  use: () => T,
): T {
  for (const state of states) {
    const value = given[state.path.slice(prefix.length)]
    if (value === undefined) throw new Error(`nothing is given for ${state.path}`)
    const shape = [...state.spec.shape]
    const data = typeof value === 'number' ? Array(tf.util.sizeFromShape(shape)).fill(value) : [...value]
    state.variable = tf.variable(tf.tensor(data, shape))
  }
  try {
    return tf.tidy(use)
  } finally {
    for (const { variable } of states) variable!.dispose()
  }
}

/** The numbers of a tensor, row by row. */
export function numbersOf(tensor: tf.Tensor): number[] {
  return [...tensor.dataSync()]
}

/** A step that only computes asks its run for nothing but the key of its draws. */
const idleRun = { key: rootKey(1) } as Run
