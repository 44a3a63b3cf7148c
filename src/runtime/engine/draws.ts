import type { Draw, GraphPlace, GraphTensor } from '../../base/graphs.ts'
import { bernoulliTensor, type Key, normalTensor, permutation, uniformTensor } from '../random.ts'
import type { Numbers } from './ort.ts'

/** The key of a place below one. */
export function keyBelow(key: Key, places: readonly GraphPlace[], numbers: readonly number[]): Key {
  return places.reduce<Key>(
    (below, place) => below.at(typeof place === 'object' ? (numbers[place.number] ?? 0) : place),
    key,
  )
}

/** The numbers of a draw: those that the eager engine draws at the same place. They fill `kept`, what an earlier step drew there. */
export function drawn(draw: Draw, key: Key, { shape }: GraphTensor, kept?: Numbers): Numbers {
  const floats = kept instanceof Float32Array ? kept : undefined
  switch (draw.kind) {
    case 'normal':
      return normalTensor(key, shape, draw.mean, draw.std, floats)
    case 'uniform':
      return uniformTensor(key, shape, draw.low, draw.high, floats)
    case 'bernoulli':
      return bernoulliTensor(key, shape, draw.p, kept instanceof Uint8Array ? kept : undefined)
    case 'permutation':
      return permutation(key, shape[0] ?? 0)
  }
}
