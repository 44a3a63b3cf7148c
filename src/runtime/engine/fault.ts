import { exitCodes, RunError } from '../errors.ts'

/** Nodes are called after the operator and the place in the program that they come from. */
const place = /Name:'\d+ \S+ (\S+?:\d+)(?::\d+)?[ ']/

/** What ONNX Runtime could not do, at the line that it stands for where the message names a node. */
export function graphFault(graph: string, error: unknown): RunError {
  const reason = (error instanceof Error ? error.message : String(error)).split('\n')[0] ?? ''
  const trace = place.exec(reason)?.[1]
  const lacksMemory = /allocat|memory/i.test(reason)
  return new RunError({
    code: 'LTM6206',
    message: `ONNX Runtime can't run the graph \`${graph}\`: ${reason}`,
    ...(trace !== undefined && { trace }),
    help: lacksMemory
      ? 'a smaller batch needs less memory'
      : '`--engine eager` trains operator by operator, without graphs',
    exitCode: exitCodes.training,
  })
}
