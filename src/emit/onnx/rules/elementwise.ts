import type { Step } from '../../../ir/ir.ts'
import { findOp } from '../../../ops/index.ts'
import { type OnnxContext, type OnnxValue, scalar } from '../../../ops/onnx.ts'
import { type Facts, inputOf, made, resultOf, sameShape, shapeOf, typeOf } from '../facts.ts'
import { find, named, number, of, value } from './pattern.ts'
import type { TileRule } from './rule.ts'

/** The shape to which shapes stretch one another. */
function joint(shapes: readonly (readonly number[])[]): readonly number[] {
  const rank = Math.max(...shapes.map(shape => shape.length))
  return Array.from({ length: rank }, (_, i) => {
    const sizes = shapes.map(shape => shape[i - rank + shape.length] ?? 1)
    return sizes.find(size => size !== 1) ?? 1
  })
}

/** A value without the stretching that the operator that reads it does itself. */
function unstretched(name: string, facts: Facts): string {
  const stretched = made(facts, name, 'broadcast_to')
  return stretched === undefined ? name : inputOf(stretched, 0)
}

/** The inputs of a step of which the largest number is unstretched and the result has the same shape. */
function shortest(step: Step, facts: Facts): readonly string[] {
  const wanted = shapeOf(facts, resultOf(step))
  return step.inputs.reduce<readonly string[]>((inputs, _, i) => {
    const shorter = inputs.with(i, unstretched(inputs[i]!, facts))
    return sameShape(joint(shorter.map(name => shapeOf(facts, name))), wanted) ? shorter : inputs
  }, step.inputs)
}

const root2 = Math.SQRT2

/** x / √2, the argument of the error function in GELU. */
const scaled = of('div', value('x'), number(root2))
const doubled = of('add', number(1), of('erf', named('v', scaled)))
/** x/2·(1 + erf(x/√2)) (D. Hendrycks and K. Gimpel 2016). */
const gelu = of('mul', of('mul', number(0.5), value('x')), named('doubled', doubled))
/** dy·x/2·(2/√π·exp(-v²))/√2 + dy·(1 + erf(v))/2, as the operators' gradients make it. */
const geluGradient = of(
  'add',
  of(
    'div',
    of(
      'mul',
      of('mul', value('dy'), of('mul', number(0.5), value('x'))),
      of('mul', number(2 / Math.sqrt(Math.PI)), of('exp', of('neg', of('mul', value('v'), value('v'))))),
    ),
    number(root2),
  ),
  of('mul', of('mul', value('dy'), doubled), number(0.5)),
)

/** Φ(x) = (1 + erf(v)) / 2, from v = x/√2: a sigmoid made of straight lines halves and adds in one node. */
function halves(x: OnnxValue, context: OnnxContext): { readonly v: OnnxValue; readonly phi: OnnxValue } {
  const { graph } = context
  const v = graph.node('Mul', [x, scalar(context, 1 / root2)])
  const phi = graph.node('HardSigmoid', [graph.node('Erf', [v])], {
    alpha: { float: 0.5 },
    beta: { float: 0.5 },
  })
  return { v, phi }
}

/** Rules of operators that work element by element. */
export const elementwiseRules: readonly TileRule[] = [
  {
    name: 'gelu(x) = x·Φ(x)',
    match(step, facts) {
      const found = step.op === 'mul' ? find(gelu, resultOf(step), facts) : undefined
      if (found === undefined || typeOf(facts, found.x!).dtype !== 'f32') return undefined
      // Alone it is one node; its gradient shares the error function.
      const isShared = facts.uses(found.doubled!) > 1 || facts.uses(found.v!) > 1
      return {
        inputs: [found.x!],
        lower: ([x], context) =>
          isShared
            ? context.graph.node('Mul', [x, halves(x!, context).phi])
            : context.graph.node('Gelu', [x]),
      }
    },
  },
  {
    // With v = x/√2 the density at x, times x, is v/√π·exp(-v²); the constant goes into the exponent.
    name: "gelu'(x)·dy = (Φ(x) + x·φ(x))·dy",
    match(step, facts) {
      const found = step.op === 'add' ? find(geluGradient, resultOf(step), facts) : undefined
      if (found === undefined) return undefined
      return {
        inputs: [found.dy!, found.x!],
        lower([dy, x], context) {
          const { graph } = context
          const { v, phi } = halves(x!, context)
          const exponent = graph.node('Sub', [
            scalar(context, -Math.log(Math.PI) / 2),
            graph.node('Mul', [v, v]),
          ])
          const bump = graph.node('Mul', [v, graph.node('Exp', [exponent])])
          return graph.node('Mul', [graph.node('Add', [bump, phi]), dy])
        },
      }
    },
  },
  {
    name: 'x + (-y) = x - y',
    match(step, facts) {
      if (step.op !== 'add') return undefined
      const negative = step.inputs.findIndex(
        input => made(facts, input, 'neg') !== undefined && facts.uses(input) === 1,
      )
      if (negative < 0) return undefined
      const inputs = [inputOf(step, 1 - negative), inputOf(made(facts, inputOf(step, negative), 'neg')!, 0)]
      return { inputs, lower: (values, { graph }) => graph.node('Sub', values) }
    },
  },
  {
    // Every node stretches its inputs itself, and reads the less for it.
    name: 'what is stretched to meet another value is not stretched before',
    match(step, facts) {
      const op = findOp(step.op)
      if (op?.lift !== 'elementwise' || op.onnx === 'drawn' || step.inputs.length < 2) return undefined
      const inputs = shortest(step, facts)
      const { onnx } = op
      if (inputs.every((input, i) => input === step.inputs[i])) return undefined
      return { inputs, lower: (values, context) => onnx(values, step.attrs, context) }
    },
  },
]
