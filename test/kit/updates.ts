import { renderCode } from '../../src/base/code.ts'
import { hostCode } from '../../src/emit/tfjs/host.ts'
import type { CompiledUpdate } from '../../src/emit/wasm/update.ts'
import type { HostExpr } from '../../src/ir/ir.ts'
import { Arena } from '../../src/runtime/engine/arena.ts'
import { Updates } from '../../src/runtime/engine/updates.ts'

/** What the host computes for an update, as a generated program would. */
export function hostNumbers(
  exprs: readonly HostExpr[],
  given: Readonly<Record<string, number>>,
): readonly number[] {
  const nothing = (): never => {
    throw new Error('an update looks at its arguments alone')
  }
  const names = { clock: 'clock', argument: (name: string) => `given.${name}`, size: nothing, item: nothing }
  return exprs.map(expr => {
    const text = renderCode(hostCode(expr, names), 'javascript')
    return new Function('given', `return ${text}`)(given)
  })
}

/** A compiled update with tensors of its own: slots, the parameter, the gradient. */
export interface Bench {
  readonly tensors: readonly Float32Array[]
  run(scale: number, scalars: ArrayLike<number>): void
}

/** An arena for an update of so many elements. */
export function benchOf({ bytes, slots }: CompiledUpdate, count: number): Bench {
  const names = Array.from({ length: slots }, (_, i) => `slot${i}`)
  const all = [...names, 'parameter', 'gradient']
  const arena = Arena.of(all.map(name => ({ name, count })))
  if (arena === undefined) throw new Error('no room')
  const run = new Updates(arena).bind(bytes, { slots: names, parameter: 'parameter', gradient: 'gradient' })
  return { tensors: all.map(name => arena.view(name)), run }
}
