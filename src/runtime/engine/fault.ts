import type { GraphProvider } from '../../base/graphs.ts'
import { exitCodes, RunError } from '../errors.ts'

/** Nodes are called after the operator and the place in the program that they come from. */
const place = /Name:'\d+ \S+ (\S+?:\d+)(?::\d+)?[ ']/

/** What the compiler says that it can't lower begins with its place. */
const notLowered = /^([^\s:]+:\d+):\d+: /

/** What is not of the reason in the library's messages: the place in its own source, and the condition that did not hold. */
const ownPlace =
  /^\S*\/onnxruntime\/\S+:\d+ .*? was false\. |^(?:Exception|Non-zero)\b.*?: (?=\S)|^OrtSessionOptionsAppend\w+: /

const reasonIn = (message: string): string =>
  (message.split('\n')[0] ?? '').replace(ownPlace, '').replace(/[\s.]+$/, '')

const help: Readonly<Record<GraphProvider, string>> = {
  cpu: '`--engine eager` trains without it',
  webgpu:
    'it takes a graphics card with a driver for Vulkan, Metal or Direct3D 12; `--backend cpu` trains on the processor',
  cuda:
    'it takes CUDA 12 and cuDNN 9, and libraries that `ONNXRUNTIME_NODE_INSTALL=cuda12 npm rebuild onnxruntime-node` fetches (Linux on x64); ' +
    '`--backend webgpu` computes on a card of any maker, `--backend cpu` on the processor',
}

/** Why a provider can't run graphs here. */
export function startFault(provider: GraphProvider, message: string): RunError {
  const reason = reasonIn(message)
  if (provider === 'cpu')
    return new RunError({
      code: 'LTM6204',
      message: `ONNX Runtime, which runs compiled steps, can't start: ${reason}`,
      help: help.cpu,
    })
  return new RunError({
    code: 'LTM6202',
    message: `the backend \`${provider}\` can't start: ${reason}`,
    help: help[provider],
    exitCode: exitCodes.usage,
  })
}

/** What ONNX Runtime could not do, at the line that it stands for where the message names a node. */
export function graphFault(graph: string, error: unknown): RunError {
  const reason = (error instanceof Error ? error.message : String(error)).split('\n')[0] ?? ''
  const trace = (place.exec(reason) ?? notLowered.exec(reason))?.[1]
  return new RunError({
    code: 'LTM6206',
    message: `ONNX Runtime can't run the graph \`${graph}\`: ${reason.replace(notLowered, '')}`,
    ...(trace !== undefined && { trace }),
    help: remedyFor(reason),
    exitCode: exitCodes.training,
  })
}

function remedyFor(reason: string): string {
  if (/device.{0,20}\blost\b|lost device|DeviceLost/i.test(reason))
    return 'the graphics card was lost, as by a driver that restarts; `ltm run --resume` goes on from the last checkpoint, with `--backend cpu` on the processor'
  // What WebGPU had no memory for is a buffer that is invalid, and whoever takes it is refused.
  return /allocat|memory|exceeds the max|Invalid Buffer/i.test(reason)
    ? 'a smaller batch needs less memory'
    : '`--engine eager` trains operator by operator, without graphs'
}

/** Whether a session was refused since the processor would have to do a part of it. */
export function wouldLeave(error: unknown): boolean {
  return error instanceof Error && error.message.includes('fallback to CPU EP has been explicitly disabled')
}

/** A step that a device has no kernel for: it would be done on the processor, and its tensors copied there and back. */
export function leftFault(graph: string, provider: GraphProvider, nodes: readonly string[]): RunError {
  const [first = ''] = nodes
  const [, operator = first, trace] = /^\d+ (\S+) (\S+?:\d+)(?::\d+)? /.exec(first) ?? []
  return new RunError({
    code: 'LTM6206',
    message: `ONNX Runtime has no kernel for \`${operator}\` on \`${provider}\`, so it can't run the graph \`${graph}\` there`,
    ...(trace !== undefined && { trace }),
    help: '`--backend cpu` computes on the processor, `--engine eager` operator by operator',
    exitCode: exitCodes.training,
  })
}
