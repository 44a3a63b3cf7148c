import { NameSupply } from '../../base/fresh.ts'
import type { GraphTensor } from '../../base/graphs.ts'
import type { Func, Origin, Step } from '../../ir/ir.ts'
import { type Make, makeBuilder } from '../../ops/builder.ts'
import type { Operand } from '../../ops/op.ts'

/** Graphs that no line of the program stands for: what a trainer does with all parameters or gradients at once. */

/** A graph of the trainer's. */
export function service(
  name: string,
  origin: Origin,
  parts: Pick<Func, 'params' | 'hostParams' | 'steps' | 'results'>,
): Func {
  return { name, declaration: name, role: 'graph', origin, ...parts }
}

/** A tensor as it is. */
export function copyGraph({ dtype, shape }: Pick<GraphTensor, 'dtype' | 'shape'>): Func {
  const params = [{ name: 'x', type: { dtype, shape: [...shape] } }]
  const origin = { file: 'copy', line: 1, column: 1 }
  return service('copy', origin, { params, hostParams: [], steps: [], results: ['x'] })
}

type Shapes = readonly (readonly number[])[]

/** Sums of gradients and what they are to grow by: `sums` then `gradients` in, new sums out. */
export function additionGraph(shapes: Shapes, origin: Origin): Func {
  return built('window.add', origin, [...shapes, ...shapes], [], (make, tensors) =>
    shapes.map((_, i) => make.add([tensors[i]!, tensors[i + shapes.length]!])),
  )
}

/** Tensors divided by a number of the host. */
export function quotientGraph(shapes: Shapes, origin: Origin): Func {
  return built('window.mean', origin, shapes, ['weight'], (make, tensors, [weight]) =>
    tensors.map(tensor => make.div([tensor, weight!])),
  )
}

function built(
  name: string,
  origin: Origin,
  shapes: Shapes,
  hostParams: readonly string[],
  build: (make: Make, tensors: readonly Operand[], numbers: readonly Operand[]) => readonly Operand[],
): Func {
  const names = new NameSupply()
  const steps: Step[] = []
  const make = makeBuilder({ steps, fresh: wanted => names.fresh(wanted), origin: () => origin })
  const params = shapes.map(
    (shape): Operand => ({ name: names.fresh('x'), type: { dtype: 'f32', shape: [...shape] } }),
  )
  const numbers = hostParams.map((name): Operand => {
    const output: Operand = { name: names.fresh(name), type: { dtype: 'f32', shape: [] } }
    steps.push({
      op: 'host',
      inputs: [],
      attrs: { value: { kind: 'argument', name } },
      outputs: [output],
      origin,
    })
    return output
  })
  const results = build(make, params, numbers).map(result => result.name)
  return service(name, origin, { params, hostParams, steps, results })
}
