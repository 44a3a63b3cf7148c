/**
 * Which nodes of ONNX compute the same in the least time: `node --import tsx bench/lowerings.ts [PART…]`. The first way of each contest is
 * what the compiler makes of the steps; the others are what else could be chosen in the entries of the operators (src/ops) and the rules
 * for several steps (src/emit/onnx/rules). Each number is the least processor time of one thread in several runs, the ways taking turns:
 * whatever else the machine does only adds to it. Beside it stand the median, and the least time on all processors, of which some kernels
 * use but one.
 */
import { cpus } from 'node:os'
import { argv } from 'node:process'
import { Tensor } from 'onnxruntime-node'
import { GraphBuilder } from '../src/emit/onnx/builder.ts'
import { lowerToOnnx, type OnnxFunction } from '../src/emit/onnx/graph.ts'
import { encodeModel } from '../src/emit/onnx/proto.ts'
import type { Func } from '../src/ir/ir.ts'
import { Scanner } from '../src/ir/parse/scanner.ts'
import { parseFunc } from '../src/ir/parse/tensor.ts'
import type { OnnxGraph, OnnxValue } from '../src/ops/onnx.ts'
import { channelBlock, load } from '../test/kit/onnx.ts'
import { type Contest, contests } from './lowerings/contests.ts'

const repetitions = 25

/** Numbers that no processor foresees, the same in every run. */
function* noise(): Generator<number, never> {
  for (let state = 1; ; state = (Math.imul(state, 1664525) + 1013904223) >>> 0) yield state / 2 ** 31 - 1
}

function filled({ dtype, shape }: OnnxFunction['inputs'][number], below: number): Tensor {
  const numbers = noise()
  const count = shape.reduce((product, size) => product * size, 1)
  const draw = () => numbers.next().value
  if (dtype === 'f32') return new Tensor('float32', Float32Array.from({ length: count }, draw), shape)
  if (dtype === 'i32')
    return new Tensor(
      'int32',
      Int32Array.from({ length: count }, () => Math.floor(((draw() + 1) / 2) * below)),
      shape,
    )
  return new Tensor(
    'bool',
    Uint8Array.from({ length: count }, () => Number(draw() > 0)),
    shape,
  )
}

/** Nodes that are written out, between the inputs and outputs that the steps have. */
function written(
  ways: (graph: OnnxGraph, inputs: readonly OnnxValue[]) => readonly OnnxValue[],
  { inputs, outputs }: OnnxFunction,
): Uint8Array {
  const graph = new GraphBuilder()
  const values = inputs.map(() => graph.input())
  const results = ways(graph, values)
  const names = new Map([
    ...values.map((value, i) => [value.name, inputs[i]!.name] as const),
    ...results.map((value, i) => [value.name, outputs[i]!.name] as const),
  ])
  return encodeModel({
    name: 'way',
    ...graph.finish(results, name => names.get(name) ?? name),
    inputs,
    outputs,
  })
}

function parsed(text: string): Func {
  const none: ReadonlySet<string> = new Set()
  const func = parseFunc(new Scanner(text), { args: none, vars: none, hypers: none })
  if (func === undefined) throw new Error('no function')
  return func
}

interface Measured {
  readonly name: string
  readonly run: () => void
  /** Milliseconds of a processor. */
  readonly times: number[]
  readonly runOnAll: () => void
  /** Milliseconds on all processors. */
  readonly timesOnAll: number[]
}

function measured(contest: Contest): readonly Measured[] {
  const block = channelBlock()
  const func = lowerToOnnx(parsed(contest.steps), {
    provider: 'cpu',
    ...(block === undefined ? {} : { channelBlock: block }),
  })
  const feeds = Object.fromEntries(func.inputs.map(input => [input.name, filled(input, contest.below ?? 1)]))
  // Memory of an earlier run is known to the processor; that of a new one may cost more than the kernel.
  const fetches = Object.fromEntries(func.outputs.map(output => [output.name, filled(output, 1)]))
  const models: readonly (readonly [string, Uint8Array])[] = [
    ['chosen', func.bytes],
    ...Object.entries(contest.others).map(([name, ways]) => [name, written(ways, func)] as const),
  ]
  return models.map(([name, bytes]) => {
    const [run, runOnAll] = [1, cpus().length].map(threads => {
      const session = load(bytes, 'cpu', threads)
      return () => void session.run(feeds, fetches, {})
    })
    return { name, run: run!, times: [], runOnAll: runOnAll!, timesOnAll: [] }
  })
}

function processorTime(run: () => void): number {
  const began = process.cpuUsage()
  run()
  const { user, system } = process.cpuUsage(began)
  return (user + system) / 1000
}

function time(run: () => void): number {
  const began = performance.now()
  run()
  return performance.now() - began
}

function median(numbers: readonly number[]): number {
  return [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN
}

console.log(
  `Node ${process.version}, ${cpus()[0]?.model ?? 'unknown processor'}, ONNX Runtime on one thread\n`,
)
console.log(
  `| what | nodes | ms | median | by chosen | on ${cpus().length} |\n| --- | --- | ---: | ---: | ---: | ---: |`,
)
const asked = argv.slice(2)
for (const contest of contests) {
  if (asked.length > 0 && !asked.some(part => contest.name.includes(part))) continue
  const ways = measured(contest)
  for (let i = 0; i < repetitions; i++) for (const way of ways) way.times.push(processorTime(way.run))
  for (let i = 0; i < repetitions; i++) for (const way of ways) way.timesOnAll.push(time(way.runOnAll))
  const base = Math.min(...ways[0]!.times)
  for (const { name, times, timesOnAll } of ways) {
    const least = Math.min(...times)
    const numbers = [least, median(times), least / base, Math.min(...timesOnAll)]
    const cells = [contest.name, name, ...numbers.map(each => each.toFixed(2))]
    console.log(`| ${cells.join(' | ')} |`)
  }
}
