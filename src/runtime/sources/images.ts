import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { RunError } from '../errors.ts'
import type { SourceTable } from './column.ts'
import { decodePicture, type Layout, layOut } from './pixels.ts'
import { counted, type DataFile, damaged } from './problem.ts'

/** A picture and the class that its folder is. */
interface Found {
  /** `cats/001.png`. */
  readonly name: string
  readonly label: number
}

/**
 * A folder of pictures with a folder for each class; classes count from 0 in alphabetical order. The columns are `image`,
 * bytes as `[channels, height, width]`, and `label`.
 */
export async function readImages(folder: string, layout: Layout, file: DataFile): Promise<SourceTable> {
  const found = await picturesIn(folder, file)
  const size = layout.channels * layout.height * layout.width
  const bytes = found.length * size
  if (bytes > 2 ** 32)
    throw damaged(
      file,
      `has ${counted(found.length, 'picture')}, which take ${Math.ceil(bytes / 2 ** 30)} GiB at this size`,
      'ask for a smaller `size`',
    )
  const pixels = new Uint8Array(bytes)
  for (const [index, { name }] of found.entries()) {
    const own = { name: join(file.name, name), trace: file.trace }
    layOut(decodePicture(await readFile(join(folder, name)), own), layout, pixels, index * size)
  }
  const labels = Int32Array.from(found, picture => picture.label)
  const shape = [layout.channels, layout.height, layout.width]
  return {
    rows: found.length,
    columns: [
      { kind: 'numbers', name: 'image', shape, values: pixels },
      { kind: 'numbers', name: 'label', shape: [], values: labels, count: (found.at(-1)?.label ?? 0) + 1 },
    ],
    place: row => join(file.name, found[row]?.name ?? ''),
  }
}

async function picturesIn(folder: string, file: DataFile): Promise<readonly Found[]> {
  const classes = await foldersIn(folder, file)
  const found: Found[] = []
  for (const [label, name] of classes.entries()) {
    const entries = await readdir(join(folder, name), { withFileTypes: true })
    const pictures = entries.filter(entry => entry.isFile() && /\.(png|jpe?g)$/i.test(entry.name))
    for (const picture of pictures.map(entry => entry.name).sort())
      found.push({ name: join(name, picture), label })
    if (pictures.length === 0)
      throw damaged(
        file,
        `has no pictures in \`${name}\``,
        'each class is a folder of .png, .jpg or .jpeg files',
      )
  }
  return found
}

async function foldersIn(folder: string, file: DataFile): Promise<readonly string[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true })
    const names = entries.filter(entry => entry.isDirectory() && !entry.name.startsWith('.'))
    if (names.length > 0) return names.map(entry => entry.name).sort()
  } catch {
    const help = 'a folder that has a folder of pictures for each class'
    const message = `the folder ${file.name} can't be read: ${folder}`
    throw new RunError({ code: 'LTM5101', message, trace: file.trace, help })
  }
  throw damaged(file, 'has no folders in it', 'each class is a folder of .png, .jpg or .jpeg files')
}
