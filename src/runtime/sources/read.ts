import { nearest } from '../../base/names.ts'
import { RunError } from '../errors.ts'
import { decodeSafetensors } from '../safetensors.ts'
import type { NumberColumn, SourceTable } from './column.ts'
import { readIdx } from './idx.ts'
import { readImages } from './images.ts'
import { readJsonLines } from './jsonl.ts'
import { readUserRows } from './module.ts'
import { readNpy } from './npy.ts'
import { dataPath, openFile } from './open.ts'
import { readParquet } from './parquet.ts'
import { counted, type DataFile, damaged } from './problem.ts'
import { shownNames } from './rows.ts'
import type { FileSourceSpec } from './spec.ts'
import { readText } from './text.ts'
import { readZip } from './zip.ts'

/** Reads the columns of these names from a source; others are not read, or at least not kept. */
export async function readSource(
  source: FileSourceSpec,
  names: readonly string[],
  directory: string,
): Promise<SourceTable> {
  if ('files' in source) return readArrayFiles(source, names, directory)
  const file: DataFile = { name: source.path, trace: source.trace }
  if (source.kind === 'images') {
    const [channels, height, width] = source.shape
    return readImages(dataPath(directory, source.path), { channels, height, width }, file)
  }
  if (source.kind === 'typescript') return readUserRows(dataPath(directory, source.path), names, file)
  const bytes = await openFile(file, directory)
  switch (source.kind) {
    case 'npz':
      return tableOf(readNpz(bytes, names, file), file)
    case 'safetensors':
      return tableOf(readTensors(bytes, names, file), file)
    case 'jsonl':
      return readJsonLines(bytes, names, file)
    case 'parquet':
      return readParquet(bytes, names, file)
    case 'text':
      return readText(bytes, source, file)
  }
}

type ArrayFiles = Extract<FileSourceSpec, { kind: 'idx' | 'npy' }>

async function readArrayFiles(
  { kind, files, trace }: ArrayFiles,
  names: readonly string[],
  directory: string,
): Promise<SourceTable> {
  const columns: NumberColumn[] = []
  for (const name of names) {
    const file: DataFile = { name: files[name] ?? name, trace }
    const bytes = await openFile(file, directory)
    columns.push(kind === 'idx' ? readIdx(bytes, name, file) : readNpy(bytes, name, file))
  }
  return tableOf(columns, { name: Object.values(files)[0] ?? kind, trace })
}

function readNpz(bytes: Uint8Array, names: readonly string[], file: DataFile): readonly NumberColumn[] {
  const entries = new Map(readZip(bytes, file).map(entry => [entry.name.replace(/\.npy$/, ''), entry]))
  return names.map(name => {
    const entry = entries.get(name)
    if (entry === undefined) throw noArray(file, name, [...entries.keys()])
    return readNpy(entry.read(), name, { name: `${file.name}: \`${name}\``, trace: file.trace })
  })
}

function readTensors(bytes: Uint8Array, names: readonly string[], file: DataFile): readonly NumberColumn[] {
  const { tensors } = placed(file, () => decodeSafetensors(bytes, file.name))
  return names.map(name => {
    const tensor = tensors.get(name)
    if (tensor === undefined) throw noArray(file, name, [...tensors.keys()])
    if (tensor.shape.length === 0)
      throw damaged(file, `has a single number as \`${name}\`, not a list of examples`)
    return { kind: 'numbers', name, shape: tensor.shape.slice(1), values: tensor.data }
  })
}

/** A problem without a place gets the place that names the file. */
function placed<T>(file: DataFile, read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof RunError) || error.trace !== undefined) throw error
    const { code, message, help, exitCode } = error
    throw new RunError({ code, message, help, exitCode, trace: file.trace })
  }
}

/** Arrays side by side, of as many examples each. */
function tableOf(columns: readonly NumberColumn[], file: DataFile): SourceTable {
  const [first] = columns
  const rows = first === undefined ? 0 : rowsOf(first)
  for (const column of columns) {
    if (rowsOf(column) === rows || first === undefined) continue
    throw damaged(
      file,
      `has ${counted(rowsOf(column), 'example')} of \`${column.name}\` and ${counted(rows, 'example')} of \`${first.name}\``,
      'all arrays have a first axis of the same size: it counts the examples',
    )
  }
  if (first !== undefined && rows === 0) throw damaged(file, 'has no examples')
  return { rows, columns, place: row => `${file.name}, example ${row}` }
}

function rowsOf(column: NumberColumn): number {
  const size = column.shape.reduce((product, extent) => product * extent, 1)
  return size === 0 ? 0 : column.values.length / size
}

function noArray(file: DataFile, name: string, has: readonly string[]): RunError {
  const near = nearest(name, has)
  return damaged(
    file,
    `has no array \`${name}\`; it has ${shownNames(has)}`,
    near === undefined ? undefined : `did you mean \`${near}\`?`,
  )
}
