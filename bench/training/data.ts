import { copyFileSync, existsSync, mkdtempSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'

/** The real files, in the folder that `LTM_DATA` names, by what the programs call them. */
const real: Readonly<Record<string, string>> = {
  'images.gz': 'mnist-t10k-images-idx3-ubyte.gz',
  'labels.gz': 'mnist-t10k-labels-idx1-ubyte.gz',
  'plays.txt': 'tinyshakespeare.txt',
}

const examples = 10_000

/** A folder that holds the programs beside the data that they and their counterparts read. */
export function workFolder(): { readonly folder: string; readonly data: string } {
  const folder = mkdtempSync(join(tmpdir(), 'ltm-training-'))
  const programs = fileURLToPath(new URL('../programs/', import.meta.url))
  for (const name of readdirSync(programs)) copyFileSync(join(programs, name), join(folder, name))
  const digits = fileURLToPath(new URL('../../examples/digits/digits.csv.gz', import.meta.url))
  symlinkSync(digits, join(folder, 'digits.csv.gz'))
  const given = process.env.LTM_DATA
  if (given !== undefined && Object.values(real).every(name => existsSync(join(given, name)))) {
    for (const [name, file] of Object.entries(real)) symlinkSync(resolve(given, file), join(folder, name))
    return { folder, data: 'MNIST (10,000 images) and the plays of Shakespeare' }
  }
  for (const [name, bytes] of Object.entries(madeUp())) writeFileSync(join(folder, name), bytes)
  return {
    folder,
    data: 'made up, of the sizes of MNIST and the plays of Shakespeare (`LTM_DATA` names no folder with these)',
  }
}

/** Images of ten noisy patterns, and a text of few words. */
function madeUp(): Readonly<Record<string, Uint8Array>> {
  const random = generator(1)
  const patterns = Array.from({ length: 10 }, () => Array.from({ length: 784 }, () => random() < 0.2))
  const labels = Array.from({ length: examples }, () => Math.floor(random() * 10))
  const images = labels.flatMap(label =>
    patterns[label]!.map(lit => Math.floor((lit ? 255 : 100) * random())),
  )
  const words = Array.from({ length: 500 }, () => word(random))
  let text = ''
  while (text.length < 1_100_000) text += `${words[Math.floor(words.length * random() ** 2)]} `
  return {
    'images.gz': gzipSync(idx([examples, 28, 28], images), { level: 1 }),
    'labels.gz': gzipSync(idx([examples], labels), { level: 1 }),
    'plays.txt': Buffer.from(text),
  }
}

function word(random: () => number): string {
  const length = 2 + Math.floor(8 * random())
  return Array.from({ length }, () => String.fromCharCode(97 + Math.floor(26 * random()))).join('')
}

/** Bytes in the format of MNIST. */
function idx(shape: readonly number[], values: readonly number[]): Uint8Array {
  const header = Buffer.alloc(4 + 4 * shape.length)
  header.set([0, 0, 8, shape.length])
  for (const [axis, size] of shape.entries()) header.writeUInt32BE(size, 4 + 4 * axis)
  return Buffer.concat([header, Buffer.from(values)])
}

/** Numbers from 0 to 1 that are the same in each run (Knuth's linear congruence, MMIX). */
function generator(seed: number): () => number {
  let state = BigInt(seed)
  return () => {
    state = BigInt.asUintN(64, state * 6364136223846793005n + 1442695040888963407n)
    return Number(state >> 11n) / 2 ** 53
  }
}
