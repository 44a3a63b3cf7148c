import type { Program } from './ir.ts'
import { specialNumbers } from './json.ts'
import { validateJson } from './schema.ts'

/** Reads the JSON form back; throws where the text is not JSON or not a program. */
export function programFromJson(text: string): Program {
  return validateJson(JSON.parse(text, (_, value: unknown) => decode(value)))
}

function decode(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || !('$number' in value)) return value
  return specialNumbers.find(([name]) => name === value.$number)?.[1] ?? value
}
