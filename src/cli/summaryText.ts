import { formatCount, widthOf } from '../runtime/report/format.ts'
import type { ModuleSummary } from '../summary/modules.ts'
import type { Memory, StepSummary, Summary } from '../summary/summarize.ts'

/** A number, or a formula over sizes that only the data tells. */
type Size = Summary['parameters']['all']

/** A summary as tables: the modules, the steps, the memory. `depth` is that of the modules shown. */
export function summaryText(summary: Summary, depth: number): string {
  const { name, file, parameters, modules } = summary
  return [
    `${name}, ${file}\n`,
    ...moduleTable(modules, depth),
    `${count(parameters.all)} parameters: ${count(parameters.trained)} trained, ${count(parameters.frozen)} frozen\n`,
    ...stepTable(summary.steps),
    '',
    ...memoryTable(summary.memory),
    '',
    ...notes(summary),
    '',
  ].join('\n')
}

function moduleTable(modules: readonly ModuleSummary[], depth: number): readonly string[] {
  if (modules.length === 0) return []
  const rows = modules.flatMap(module => moduleRows(module, depth, '', ''))
  const head = ['module', 'type', 'in', 'out', 'parameters', 'multiply-adds', '']
  return [...columns([head, ...rows], [4, 5]), '']
}

function moduleRows(
  module: ModuleSummary,
  depth: number,
  branch: string,
  below: string,
): readonly (readonly string[])[] {
  const { name, type, inputs, outputs, parameters, multiplyAdds, modules } = module
  const own = [
    `${branch}${name}`,
    type ?? '',
    inputs.join(', '),
    outputs.join(', '),
    count(parameters),
    short(multiplyAdds),
    remark(module),
  ]
  if (depth <= 1) return [own]
  const inner = modules.flatMap((each, i) => {
    const last = i === modules.length - 1
    return moduleRows(each, depth - 1, `${below}${last ? '└ ' : '├ '}`, `${below}${last ? '  ' : '│ '}`)
  })
  return [own, ...inner]
}

/** What is unlike the others: frozen parameters, several calls, or none. */
function remark({ parameters, trained, calls, type }: ModuleSummary): string {
  const still = trained === 0 ? 'frozen' : trained === parameters ? '' : `${count(trained)} trained`
  const often = type === undefined || calls === 1 ? '' : `called ${short(calls)} times`
  return [still, often].filter(text => text !== '').join(', ')
}

function stepTable(steps: readonly StepSummary[]): readonly string[] {
  if (steps.length === 0) return []
  const rows = steps.map(({ phase, name, batch, forward, backward, kept }) => [
    name === undefined ? phase : `${phase} ${name}`,
    batch === undefined ? '' : count(batch),
    short(forward),
    phase === 'train' ? short(backward) : '',
    phase === 'train' ? bytes(kept) : '',
  ])
  return columns([['step', 'batch', 'multiply-adds', 'of gradients', 'kept for them'], ...rows], [1, 2, 3, 4])
}

const parts: readonly (readonly [keyof Memory, string])[] = [
  ['parameters', 'parameters'],
  ['buffers', 'buffers'],
  ['gradients', 'gradients'],
  ['slots', 'slots of optimizers'],
  ['activations', 'kept for gradients'],
  ['batch', 'a batch'],
  ['total', 'together'],
]

function memoryTable(memory: Memory): readonly string[] {
  const rows = parts.filter(([part]) => memory[part] !== 0).map(([part, name]) => [name, bytes(memory[part])])
  return ['memory of a training step, an estimate', ...columns(rows, [1]).map(line => `  ${line}`)]
}

function notes({ sizes }: Summary): readonly string[] {
  const counted = 'Multiply-adds are those of matrix products and convolutions, for a whole batch.'
  const open = Object.entries(sizes).flatMap(([name, value]) => (value === null ? [name] : []))
  if (open.length === 0) return [counted]
  return [counted, `Only the data tells ${open.join(', ')}: --size ${open[0]}=NUMBER puts a number in.`]
}

// ── Numbers ─────────────────────────────────────────────────────────────────────────────────────────────────────────

function count(size: Size): string {
  return typeof size === 'number' ? formatCount(size) : size
}

/** Three digits: `1.18M`. */
function short(size: Size): string {
  return scaled(size, 1000, ['', 'k', 'M', 'G', 'T', 'P'], '')
}

/** `98.5 KiB`. */
export function bytes(size: Size): string {
  return scaled(size, 1024, ['B', 'KiB', 'MiB', 'GiB', 'TiB'], ' ')
}

function scaled(size: Size, base: number, units: readonly string[], space: string): string {
  if (typeof size !== 'number') return units[0] === '' ? size : `(${size}) ${units[0]}`
  const power = size < base ? 0 : Math.min(Math.floor(Math.log(size) / Math.log(base)), units.length - 1)
  const value = size / base ** power
  const digits = power === 0 ? String(value) : value < 999.5 ? value.toPrecision(3) : value.toFixed(0)
  return `${digits}${space}${units[power] ?? ''}`
}

/** Lines of columns as wide as their widest cell; those of numbers are flush right. */
function columns(rows: readonly (readonly string[])[], numbers: readonly number[]): readonly string[] {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map(row => widthOf(row[i] ?? ''))))
  return rows.map(row =>
    row
      .map((text, i) => {
        const space = ' '.repeat((widths[i] ?? 0) - widthOf(text))
        return numbers.includes(i) ? space + text : text + space
      })
      .join('  ')
      .trimEnd(),
  )
}
