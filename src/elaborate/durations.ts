import type { Unit, WrittenUnit } from '../syntax/ast.ts'

const secondsOf = { minutes: 60, hours: 3600 } as const

/** A count in the unit of a clock: time is counted in seconds. */
export function clockUnits(
  count: number,
  unit: WrittenUnit,
): { readonly count: number; readonly unit: Unit } {
  return unit === 'minutes' || unit === 'hours'
    ? { count: count * secondsOf[unit], unit: 'seconds' }
    : { count, unit }
}

/** `500 updates`, `1 epoch`, `90 minutes`. */
export function countText(count: number, unit: Unit): string {
  if (unit === 'seconds' && count % 3600 === 0) return inUnit(count / 3600, 'hours')
  if (unit === 'seconds' && count % 60 === 0) return inUnit(count / 60, 'minutes')
  return inUnit(count, unit)
}

function inUnit(count: number, unit: WrittenUnit): string {
  const singular = unit === 'batches' ? 'batch' : unit.slice(0, -1)
  return `${count} ${count === 1 ? singular : unit}`
}
