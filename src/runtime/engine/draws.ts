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

/** The numbers of a draw: those that the eager engine draws at the same place. */
export function drawn(draw: Draw, key: Key, { shape }: GraphTensor): Numbers {
  switch (draw.kind) {
    case 'normal':
      return normalTensor(key, shape, draw.mean, draw.std)
    case 'uniform':
      return uniformTensor(key, shape, draw.low, draw.high)
    case 'bernoulli':
      return bernoulliTensor(key, shape, draw.p)
    case 'permutation':
      return permutation(key, shape[0] ?? 0)
  }
}
