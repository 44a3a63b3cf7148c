/** Strictly better; NaN never is, and anything is better than NaN. */
export function isBetter(direction: 'min' | 'max', value: number, than: number, delta = 0): boolean {
  if (Number.isNaN(value)) return false
  if (Number.isNaN(than)) return true
  return direction === 'min' ? value < than - delta : value > than + delta
}
