import { decode as decodeJpeg } from 'jpeg-js'
import { PNG } from 'pngjs'
import { type DataFile, damaged } from './problem.ts'

/** A picture of bytes, four to a pixel: red, green, blue, alpha; rows from the top. */
export interface Picture {
  readonly width: number
  readonly height: number
  readonly data: Uint8Array
}

/** Pictures of more than 100 megapixels are refused, whatever their header claims. */
const largest = 100e6

/** Reads a PNG or JPEG picture, known by its first bytes. */
export function decodePicture(bytes: Buffer, file: DataFile): Picture {
  const isPng = bytes.length >= 24 && bytes.readUInt32BE(0) === 0x89504e47
  const isJpeg = bytes[0] === 0xff && bytes[1] === 0xd8
  if (!isPng && !isJpeg)
    throw damaged(file, 'is neither PNG nor JPEG', 'convert it, or take it out of the folder')
  if (isPng && bytes.readUInt32BE(16) * bytes.readUInt32BE(20) > largest)
    throw damaged(file, 'claims more than 100 megapixels')
  try {
    return isPng
      ? PNG.sync.read(bytes)
      : decodeJpeg(bytes, { useTArray: true, maxResolutionInMP: 100, maxMemoryUsageInMB: 1024 })
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw damaged(
      file,
      `can't be decoded (${reason})`,
      'open it in a viewer; where that fails too, take it out of the folder',
    )
  }
}

/** How pictures are laid out for a program. */
export interface Layout {
  readonly channels: 1 | 3 | 4
  readonly height: number
  readonly width: number
}

/** Writes a picture into `out` from `start` as `[channels, height, width]`, resized by averaging or between neighbours. */
export function layOut(picture: Picture, layout: Layout, out: Uint8Array, start: number): void {
  const { channels, height, width } = layout
  const columns = weights(picture.width, width)
  const lines = weights(picture.height, height)
  const plane = height * width
  for (const [y, line] of lines.entries()) {
    for (const [x, column] of columns.entries()) {
      const at = start + y * width + x
      const [red, green, blue, alpha] = sample(picture, line, column)
      if (channels === 1) out[at] = Math.round(0.299 * red + 0.587 * green + 0.114 * blue)
      else {
        out[at] = Math.round(red)
        out[at + plane] = Math.round(green)
        out[at + 2 * plane] = Math.round(blue)
        if (channels === 4) out[at + 3 * plane] = Math.round(alpha)
      }
    }
  }
}

/** Which source pixels make one target pixel along an axis, and how much of each. */
interface Weights {
  readonly first: number
  readonly shares: readonly number[]
}

/**
 * The triangle filter: between two neighbours where a picture grows, and an average over what a pixel covers where it
 * shrinks, so that nothing is aliased.
 */
function weights(from: number, to: number): readonly Weights[] {
  const scale = from / to
  const reach = Math.max(1, scale)
  return Array.from({ length: to }, (_, target) => {
    const centre = (target + 0.5) * scale - 0.5
    const first = Math.max(0, Math.ceil(centre - reach))
    const last = Math.min(from - 1, Math.floor(centre + reach))
    const raw = Array.from({ length: last - first + 1 }, (_, i) =>
      Math.max(0, 1 - Math.abs(first + i - centre) / reach),
    )
    const total = raw.reduce((sum, share) => sum + share, 0)
    return { first, shares: raw.map(share => share / total) }
  })
}

function sample(
  { data, width }: Picture,
  line: Weights,
  column: Weights,
): readonly [red: number, green: number, blue: number, alpha: number] {
  let [red, green, blue, alpha] = [0, 0, 0, 0]
  for (const [dy, vertical] of line.shares.entries()) {
    for (const [dx, horizontal] of column.shares.entries()) {
      const share = vertical * horizontal
      const at = ((line.first + dy) * width + column.first + dx) * 4
      red += share * (data[at] ?? 0)
      green += share * (data[at + 1] ?? 0)
      blue += share * (data[at + 2] ?? 0)
      alpha += share * (data[at + 3] ?? 0)
    }
  }
  return [red, green, blue, alpha]
}
