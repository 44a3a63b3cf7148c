import type { Code } from '../diagnostics/catalogue/index.ts'
import type { Report } from '../diagnostics/diagnostic.ts'

/** Codes that say that something is missing. */
const absences: readonly Code[] = [
  'LTM3001',
  'LTM3003',
  'LTM3004',
  'LTM3006',
  'LTM3014',
  'LTM3015',
  'LTM3017',
  'LTM4001',
  'LTM4003',
  'LTM4101',
  'LTM4102',
  'LTM4105',
  'LTM4107',
  'LTM4110',
  'LTM4203',
  'LTM4301',
  'LTM4303',
]

/** A report for a program with syntax errors: what seems to be missing may stand where the text could not be read. */
export function withoutAbsences(report: Report): Report {
  return diagnostic => {
    if (!absences.includes(diagnostic.code)) report(diagnostic)
  }
}
