/** A point of a plot. */
export type Point = readonly [x: number, y: number]

/** A plot of numbers: lines through points, or the points themselves. */
export interface Plot {
  readonly title: string
  readonly x: Axis
  readonly y: Axis
  readonly series: readonly Series[]
  /** Places that are pointed out. */
  readonly marks: readonly { readonly at: Point; readonly text: string }[]
}
export interface Axis {
  readonly label: string
  readonly scale: 'linear' | 'log'
}
export interface Series {
  readonly points: readonly Point[]
  readonly kind: 'line' | 'points'
  readonly faint?: boolean
}

/** Where a number lies between the ends of an axis, from 0 to 1. */
interface Range {
  readonly low: number
  readonly high: number
  readonly scale: Axis['scale']
}

function rangeOf(numbers: readonly number[], scale: Axis['scale']): Range {
  const finite = numbers.filter(x => Number.isFinite(x) && (scale === 'linear' || x > 0))
  const low = Math.min(...finite)
  const high = Math.max(...finite)
  if (finite.length === 0) return { low: scale === 'log' ? 0.1 : 0, high: 1, scale }
  if (low < high) return { low, high, scale }
  return scale === 'log' ? { low: low / 2, high: high * 2, scale } : { low: low - 1, high: high + 1, scale }
}

/** A little more at either end, so that no point lies on an edge. */
function widened({ low, high, scale }: Range): Range {
  const margin = 0.03
  if (scale === 'linear')
    return { low: low - margin * (high - low), high: high + margin * (high - low), scale }
  return { low: low * (low / high) ** margin, high: high * (high / low) ** margin, scale }
}

function share({ low, high, scale }: Range, x: number): number {
  if (scale === 'linear') return (x - low) / (high - low)
  return Math.log(x / low) / Math.log(high / low)
}

/** Round numbers within a range: powers of ten, or multiples of 1, 2 or 5 times one. */
function ticksOf({ low, high, scale }: Range): readonly number[] {
  if (scale === 'log') {
    const [first, last] = [Math.ceil(Math.log10(low)), Math.floor(Math.log10(high))]
    const every = Math.max(1, Math.ceil((last - first + 1) / 9))
    const powers = Array.from({ length: Math.max(last - first + 1, 0) }, (_, i) => Number(`1e${first + i}`))
    if (powers.length > 1) return powers.filter((_, i) => i % every === 0)
    const between = [first - 1, first, last + 1].flatMap(power => [1, 2, 5].map(n => Number(`${n}e${power}`)))
    const inside = [...new Set(between)].filter(at => at >= low && at <= high)
    return inside.length > 1 ? inside : [low, high]
  }
  const rough = (high - low) / 5
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = [1, 2, 5, 10].map(n => n * power).find(size => size >= rough) ?? rough
  const first = Math.ceil(low / step)
  return Array.from({ length: Math.floor(high / step) - first + 1 }, (_, i) =>
    Number(((first + i) * step).toPrecision(12)),
  )
}

function label(x: number): string {
  const size = Math.abs(x)
  if (x === 0 || (size >= 0.001 && size < 100_000)) return String(Number(x.toPrecision(4)))
  return x
    .toExponential()
    .replace(/(\.\d{2})\d+/, '$1')
    .replace('e+', 'e')
}

const page = { width: 640, height: 400, left: 70, right: 40, top: 40, bottom: 50 }

/** A plot as an SVG file that needs nothing else. */
export function svgOf({ title, x, y, series, marks }: Plot): string {
  const points = [...series.flatMap(each => each.points), ...marks.map(({ at }) => at)]
  const across = widened(
    rangeOf(
      points.map(([at]) => at),
      x.scale,
    ),
  )
  const up = widened(
    rangeOf(
      points.map(([, at]) => at),
      y.scale,
    ),
  )
  const inner = { width: page.width - page.left - page.right, height: page.height - page.top - page.bottom }
  const placeX = (at: number) => round(page.left + share(across, at) * inner.width)
  const placeY = (at: number) => round(page.top + (1 - share(up, at)) * inner.height)
  const isShown = ([a, b]: Point) =>
    Number.isFinite(share(across, a)) && Number.isFinite(share(up, b)) && Number.isFinite(b)
  const bottom = page.top + inner.height
  const lines = [
    ...ticksOf(across).map(
      at =>
        `<path d="M${placeX(at)} ${page.top}V${bottom}" class="grid"/><text x="${placeX(at)}" y="${bottom + 18}" text-anchor="middle">${label(at)}</text>`,
    ),
    ...ticksOf(up).map(
      at =>
        `<path d="M${page.left} ${placeY(at)}H${page.left + inner.width}" class="grid"/><text x="${page.left - 8}" y="${placeY(at) + 4}" text-anchor="end">${label(at)}</text>`,
    ),
    ...series.map(each => seriesOf(each, isShown, placeX, placeY)),
    ...marks
      .filter(({ at }) => isShown(at))
      .map(({ at: [a, b], text }) => {
        const anchor = share(across, a) > 0.6 ? 'end' : 'start'
        const beside = anchor === 'end' ? -9 : 9
        return `<circle cx="${placeX(a)}" cy="${placeY(b)}" r="5" class="mark"/><text x="${placeX(a) + beside}" y="${placeY(b) - 9}" text-anchor="${anchor}" class="said">${escaped(text)}</text>`
      }),
  ]
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${page.width} ${page.height}" width="${page.width}" height="${page.height}" font-family="sans-serif" font-size="12">`,
    '<style>.grid{stroke:#ddd;fill:none}.line{stroke:#1565c0;stroke-width:1.8;fill:none}.faint{stroke:#90caf9;stroke-width:1;fill:none}.point{fill:#1565c0;fill-opacity:.7}.mark{fill:#d84315}.said{fill:#d84315;font-weight:bold}text{fill:#333}</style>',
    `<rect width="${page.width}" height="${page.height}" fill="#fff"/>`,
    `<text x="${page.left}" y="24" font-size="15">${escaped(title)}</text>`,
    ...lines,
    `<text x="${page.left + inner.width / 2}" y="${page.height - 10}" text-anchor="middle">${escaped(x.label)}</text>`,
    `<text transform="translate(16 ${page.top + inner.height / 2}) rotate(-90)" text-anchor="middle">${escaped(y.label)}</text>`,
    '</svg>\n',
  ].join('\n')
}

function seriesOf(
  { points, kind, faint }: Series,
  isShown: (point: Point) => boolean,
  placeX: (at: number) => number,
  placeY: (at: number) => number,
): string {
  const shown = points.filter(isShown)
  if (kind === 'points')
    return shown
      .map(([a, b]) => `<circle cx="${placeX(a)}" cy="${placeY(b)}" r="3.5" class="point"/>`)
      .join('')
  const path = shown.map(([a, b], i) => `${i === 0 ? 'M' : 'L'}${placeX(a)} ${placeY(b)}`).join('')
  return `<path d="${path}" class="${faint ? 'faint' : 'line'}"/>`
}

function round(x: number): number {
  return Math.round(x * 10) / 10
}

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, sign => `&#${sign.charCodeAt(0)};`)
}

/** The same plot in letters, for a terminal: each column shows the mean of what falls into it. */
export function textPlot({ x, y, series, marks }: Plot, width = 60, height = 10): readonly string[] {
  const [first] = series.filter(each => !each.faint)
  const points = (first?.points ?? []).filter(([a, b]) => Number.isFinite(a) && Number.isFinite(b))
  if (points.length === 0) return []
  const across = rangeOf(
    points.map(([at]) => at),
    x.scale,
  )
  const up = rangeOf(
    points.map(([, at]) => at),
    y.scale,
  )
  const grid = Array.from({ length: height }, () => Array.from({ length: width }, () => ' '))
  const put = ([a, b]: Point, sign: string) => {
    const column = Math.round(share(across, a) * (width - 1))
    const row = height - 1 - Math.round(share(up, b) * (height - 1))
    const line = grid[row]
    if (line?.[column] !== undefined) line[column] = sign
  }
  for (const point of points) put(point, '•')
  for (const { at } of marks) put(at, '◆')
  const labels = grid.map((_, i) => (i === 0 ? label(up.high) : i === height - 1 ? label(up.low) : ''))
  const wide = Math.max(...labels.map(text => text.length))
  const [low, high] = [label(across.low), label(across.high)]
  return [
    ...grid.map((line, i) => `${(labels[i] ?? '').padStart(wide)} │${line.join('').trimEnd()}`),
    `${' '.repeat(wide)} └${'─'.repeat(width)}`,
    `${' '.repeat(wide + 2)}${low}${centred(x.label, width - low.length - high.length)}${high}`,
  ]
}

function centred(text: string, width: number): string {
  return text.padStart(Math.floor((width + text.length) / 2)).padEnd(width)
}
