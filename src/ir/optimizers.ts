import type { Closure, Optimizer } from './ir.ts'

/** The parameter or buffer that one of an average follows: `net.head.weight` for `ema.head.weight`. */
export function followedPath(
  { name, follows = name }: Pick<Optimizer, 'name' | 'follows'>,
  path: string,
): string {
  return follows + path.slice(name.length)
}

const pathsOf = ({ groups }: Optimizer): readonly string[] => groups.flatMap(({ parameters }) => parameters)

/** What moves when an optimizer does: its parameters, and the averages of these. */
export function movedBy(optimizers: readonly Optimizer[], name: string): readonly string[] {
  const own = optimizers.filter(optimizer => optimizer.name === name).flatMap(pathsOf)
  const averages = optimizers.filter(({ follows }) => follows !== undefined)
  const images = averages.flatMap(average =>
    pathsOf(average).filter(path => own.includes(followedPath(average, path))),
  )
  return [...own, ...images]
}

/** Those of some optimizers that look at their loss again. */
export function closuresOf(optimizers: readonly Optimizer[]): readonly Closure[] {
  return optimizers.flatMap(({ closure }) => closure ?? [])
}

/** The optimizers with other statements in their closures. */
export function mapClosures(
  optimizers: readonly Optimizer[],
  change: (closure: Closure) => Closure['body'],
): readonly Optimizer[] {
  return optimizers.map(optimizer => {
    const { closure } = optimizer
    return closure === undefined
      ? optimizer
      : { ...optimizer, closure: { ...closure, body: change(closure) } }
  })
}
