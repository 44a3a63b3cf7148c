import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A node of a graph that has run. */
export interface NodeTime {
  /** The operator and the line that it comes from; of what ONNX Runtime has put in, such as another layout, its own word. */
  readonly operator: string
  readonly line: string
  /** Milliseconds, since the process has begun as `performance.now()` tells it. */
  readonly started: number
  readonly took: number
}

/** What ONNX Runtime writes of the nodes of its sessions: each writes a file when it ends. */
export class GraphTimes {
  readonly #folder = mkdtempSync(join(tmpdir(), 'ltm-times-'))
  /** When each session began. */
  readonly #begun: number[] = []

  /** How the file of a session begins that begins now. */
  prefix(): string {
    this.#begun.push(performance.now())
    return join(this.#folder, `${this.#begun.length - 1}`)
  }

  /** Reads what has been written, and removes it. */
  take(): readonly NodeTime[] {
    const files = readdirSync(this.#folder)
    const times = files.flatMap(file =>
      nodesIn(readFileSync(join(this.#folder, file), 'utf8'), this.#begun[Number.parseInt(file, 10)] ?? 0),
    )
    rmSync(this.#folder, { recursive: true, force: true })
    return times.sort((a, b) => a.started - b.started)
  }
}

/** An event of a file, as far as it is looked at; times in microseconds. */
interface Written {
  readonly cat?: string
  readonly name?: string
  readonly ts?: number
  readonly dur?: number
  readonly args?: { readonly op_name?: string }
}

/** Nodes are called after the operator and the place in the program that they come from. */
const place = /^\d+ (\S+) (\S+:\d+):\d+ /

function nodesIn(text: string, begun: number): readonly NodeTime[] {
  return eventsIn(text).flatMap(({ cat, name = '', ts = 0, dur = 0, args }) => {
    if (cat !== 'Node' || !name.endsWith('_kernel_time')) return []
    const [, operator = args?.op_name ?? 'other', line = 'ONNX Runtime'] = place.exec(name) ?? []
    return [{ operator, line, started: begun + ts / 1000, took: dur / 1000 }]
  })
}

function eventsIn(text: string): readonly Written[] {
  try {
    const events: unknown = JSON.parse(text)
    return Array.isArray(events) ? events : []
  } catch {
    // Of a session that did not come to its end.
    return []
  }
}
