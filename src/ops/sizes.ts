import { bug } from '../base/bug.ts'
import type { Dim } from '../types/dim.ts'

export function plus(a: Dim, b: Dim): Dim {
  return typeof a === 'number' && typeof b === 'number' ? a + b : bug('symbolic')
}
export function minus(a: Dim, b: Dim): Dim {
  return typeof a === 'number' && typeof b === 'number' ? a - b : bug('symbolic')
}
