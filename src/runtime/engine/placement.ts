import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** The end of the name under which a profile tells of the run of a node. */
const ofRun = '_kernel_time'

/** The names of nodes that ran on the processor, by the profile that `run` has ONNX Runtime write to files that begin so. */
export function nodesOnProcessor(run: (prefix: string) => void): readonly string[] {
  const folder = mkdtempSync(join(tmpdir(), 'ltm-placement-'))
  try {
    run(join(folder, 'profile'))
    const events = readdirSync(folder).flatMap((file): unknown =>
      JSON.parse(readFileSync(join(folder, file), 'utf8')),
    )
    return events.flatMap(nodeOnProcessor)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function nodeOnProcessor(event: unknown): readonly string[] {
  const name = member(event, 'name')
  const provider = member(member(event, 'args'), 'provider')
  const ran = typeof name === 'string' && name.endsWith(ofRun) && provider === 'CPUExecutionProvider'
  return ran ? [name.slice(0, -ofRun.length)] : []
}

function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined
}
