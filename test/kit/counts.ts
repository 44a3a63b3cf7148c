import type { CompileOptions } from '../../src/compiler.ts'

/** `// data of Rate: reviews.words 9, reviews.kind 3` in a program says what would be found in its data. */
export function countsSaid(text: string): NonNullable<CompileOptions['counts']> {
  const lines = [...text.matchAll(/^\/\/ data of (\w+): (.*)$/gm)]
  return new Map(
    lines.map(([, train = '', counts = '']) => [
      train,
      new Map([...counts.matchAll(/([\w.]+) (\d+)/g)].map(match => [match[1]!, Number(match[2])])),
    ]),
  )
}
