import { bug } from './base/bug.ts'
import type { GradientOutput, GraphSource } from './base/graphs.ts'
import { channelBlockProbe } from './emit/onnx/channelBlock.ts'
import { lowerToOnnx, type OnnxFunction } from './emit/onnx/graph.ts'
import { withReciprocals } from './emit/wasm/reciprocals.ts'
import { compileUpdate } from './emit/wasm/update.ts'
import { within } from './ir/blocks.ts'
import type { HostStatement, Program, Step } from './ir/ir.ts'
import type { OnnxProvider } from './ops/onnx.ts'
import { obstacles } from './passes/form-graphs.ts'
import { runPasses } from './passes/pass.ts'
import { graphPipeline } from './passes/pipelines.ts'
import { specialise } from './passes/specialise.ts'

/** The program with what its steps compute gathered into graphs. Every pass behind those of the compiler is shown to `observe`. */
export function formGraphs(program: Program, observe?: (pass: string, program: Program) => void): Program {
  return runPasses(program, graphPipeline, observe)
}

/** The graphs of a program that was lowered for the compiled engine, as ONNX models for sizes as they come up. */
export function graphsOf(program: Program, provider: OnnxProvider): GraphSource {
  const graphs = new Map(
    program.functions.filter(({ role }) => role === 'graph').map(func => [func.name, func]),
  )
  return {
    obstacles: obstacles(program).map(({ reason, origin }) => ({
      reason,
      trace: `${origin.file}:${origin.line}`,
    })),
    updates: updatesOf(program),
    gradients: program.steps.flatMap(({ body }) => gradientsIn(body)),
    blockProbe: channelBlockProbe(),
    lower(name, shapes, channelBlock) {
      const graph = graphs.get(name) ?? bug(`there is no graph ${name}`)
      const { func, inputs } = specialise(program, graph, shapes)
      const model: OnnxFunction = lowerToOnnx(func, {
        provider,
        ...(channelBlock === undefined ? {} : { channelBlock }),
      })
      return {
        bytes: model.bytes,
        inputs: model.inputs.map((input, i) => ({
          ...input,
          source: inputs[i] ?? bug('an input of nothing'),
        })),
        outputs: model.outputs,
      }
    },
  }
}

function updatesOf({ functions, optimizers }: Program): GraphSource['updates'] {
  const names = new Set(optimizers.flatMap(({ groups }) => groups.map(({ update }) => update)))
  const updates = functions.filter(({ name }) => names.has(name))
  return new Map(
    updates.flatMap(func => {
      const compiled = compileUpdate(withReciprocals(func))
      return compiled === undefined ? [] : [[func.name, compiled] as const]
    }),
  )
}

/** Which results of calls the `move`s of a list take as gradients. */
function gradientsIn(statements: readonly HostStatement[]): readonly GradientOutput[] {
  const calls = statements.flatMap(each =>
    each.kind === 'compute' && each.step.op === 'call' ? [each.step] : [],
  )
  const own = statements.flatMap(statement => {
    if (statement.kind !== 'move') return []
    const { gradients = [] } = statement.by ?? {}
    return gradients.flat().flatMap(({ parameter, value }) => outputOf(calls, value, parameter))
  })
  return [...own, ...statements.flatMap(each => gradientsIn(within(each)))]
}

function outputOf(calls: readonly Step[], value: string, parameter: string): readonly GradientOutput[] {
  return calls.flatMap(({ attrs, outputs }) => {
    const output = outputs.findIndex(({ name }) => name === value)
    return output < 0 ? [] : [{ graph: String(attrs.func), output, parameter }]
  })
}
