import { bug } from './base/bug.ts'
import type { GradientOutput, GraphSource, LoweredGraph, Service } from './base/graphs.ts'
import { channelBlockProbe } from './emit/onnx/channelBlock.ts'
import { lowerToOnnx } from './emit/onnx/graph.ts'
import { withReciprocals } from './emit/wasm/reciprocals.ts'
import { compileUpdate } from './emit/wasm/update.ts'
import { within } from './ir/blocks.ts'
import type { Func, HostStatement, Program, Step } from './ir/ir.ts'
import { functionsToJson } from './ir/json.ts'
import type { OnnxProvider } from './ops/onnx.ts'
import { obstacles } from './passes/form-graphs.ts'
import { additionGraph, copyGraph, quotientGraph } from './passes/graphs/services.ts'
import { updateGraph, withSquares } from './passes/graphs/updates.ts'
import { type PassOptions, runPasses } from './passes/pass.ts'
import { graphPipeline } from './passes/pipelines.ts'
import { specialise } from './passes/specialise.ts'

/** The program with what its steps compute gathered into graphs, by passes behind those of the compiler. */
export function formGraphs(program: Program, options?: PassOptions): Program {
  return runPasses(program, graphPipeline, options)
}

/**
 * The graphs of a program that was lowered for the compiled engine, as ONNX models for sizes as they come up. Those for a graphics card
 * move parameters as well, so that these need not leave it.
 */
export function graphsOf(
  program: Program,
  provider: OnnxProvider,
  moves: boolean = provider !== 'cpu',
): GraphSource {
  const graphs = new Map(
    program.functions.filter(({ role }) => role === 'graph').map(func => [func.name, func]),
  )
  const gradients = program.steps.flatMap(({ body }) => gradientsIn(body))
  const lowered = (
    func: Func,
    shapes: readonly (readonly number[] | undefined)[],
    channelBlock?: number,
  ): LoweredGraph => {
    const special = specialise(program, func, shapes)
    const model = lowerToOnnx(special.func, {
      provider,
      ...(channelBlock === undefined ? {} : { channelBlock }),
    })
    return {
      bytes: model.bytes,
      inputs: model.inputs.map((input, i) => ({
        ...input,
        source: special.inputs[i] ?? bug('an input of nothing'),
      })),
      outputs: model.outputs,
      multiplyAdds: model.multiplyAdds,
    }
  }
  const graphNamed = (name: string) => graphs.get(name) ?? bug(`there is no graph ${name}`)
  const gradientsOf = (name: string) =>
    gradients.map(list => list.filter(each => each.graph === name)).filter(list => list.length > 0)
  return {
    provider,
    moves,
    obstacles: obstacles(program).map(({ reason, origin }) => ({
      reason,
      trace: `${origin.file}:${origin.line}`,
    })),
    updates: updatesOf(program),
    gradients: gradients.flat(),
    blockProbe: channelBlockProbe(),
    serve(service) {
      const func = serviceGraph(program, service)
      return func && lowered(func, [])
    },
    fingerprint(name) {
      const called = functionsOf(program, graphNamed(name))
      return JSON.stringify([provider, moves ? gradientsOf(name) : [], functionsToJson(called)])
    },
    lower(name, shapes, channelBlock) {
      const graph = graphNamed(name)
      if (!moves) return lowered(graph, shapes, channelBlock)
      const lists = gradientsOf(name)
      const whole = withSquares(
        graph,
        lists.map(list => list.map(({ output }) => graph.results[output] ?? bug('a gradient of nothing'))),
      )
      const sums = lists.map((list, i) => ({
        gradients: list.map(({ output }) => output),
        squares: graph.results.length + i,
      }))
      return { ...lowered(whole, shapes, channelBlock), sums }
    },
  }
}

/** A function and all that it calls, at whatever depth. */
function functionsOf({ functions }: Program, func: Func): readonly Func[] {
  const byName = new Map(functions.map(each => [each.name, each]))
  const found = new Set([func])
  // A set gives what is added to it while it is gone through.
  for (const { steps } of found)
    for (const { attrs } of steps) {
      const called = typeof attrs.func === 'string' ? byName.get(attrs.func) : undefined
      if (called !== undefined) found.add(called)
    }
  return [...found]
}

function serviceGraph(program: Program, service: Service): Func | undefined {
  if (service.kind === 'update') return updateGraph(program, service.update)
  if (service.kind === 'copy') return copyGraph(service)
  const { origin } =
    program.optimizers.find(({ name }) => name === service.optimizer) ??
    bug(`there is no optimizer ${service.optimizer}`)
  return service.kind === 'add'
    ? additionGraph(service.shapes, origin)
    : quotientGraph(service.shapes, origin)
}

function updatesOf({ functions, optimizers }: Program): GraphSource['updates'] {
  const names = new Set(optimizers.flatMap(({ groups }) => groups.flatMap(({ update }) => update ?? [])))
  const updates = functions.filter(({ name }) => names.has(name))
  return new Map(
    updates.flatMap(func => {
      const compiled = compileUpdate(withReciprocals(func))
      return compiled === undefined ? [] : [[func.name, compiled] as const]
    }),
  )
}

/** Which results of calls each `move` of a list takes as gradients. */
function gradientsIn(statements: readonly HostStatement[]): readonly (readonly GradientOutput[])[] {
  const calls = statements.flatMap(each =>
    each.kind === 'compute' && each.step.op === 'call' ? [each.step] : [],
  )
  const own = statements.flatMap(statement => {
    if (statement.kind !== 'move') return []
    const { gradients = [] } = statement.by ?? {}
    return [gradients.flat().flatMap(({ parameter, value }) => outputOf(calls, value, parameter))]
  })
  return [...own, ...statements.flatMap(each => gradientsIn(within(each)))]
}

function outputOf(calls: readonly Step[], value: string, parameter: string): readonly GradientOutput[] {
  return calls.flatMap(({ attrs, outputs }) => {
    const output = outputs.findIndex(({ name }) => name === value)
    return output < 0 ? [] : [{ graph: String(attrs.func), output, parameter }]
  })
}
