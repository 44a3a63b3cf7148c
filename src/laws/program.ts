import type { HostStatement, Program } from '../ir/ir.ts'
import { type ConstraintsOfFile, inverseName } from './declared.ts'
import { type Instance, shownConstraint } from './instances.ts'

/** The parts of an instance in the program of its laws, by what they are named there. */
export interface LawNames {
  readonly parameter: string
  readonly two: string
  readonly input: string
  readonly value: string
  readonly twoValue: string
  readonly thrice: string
  readonly inverse: string
  readonly logDet: string
}

export function lawNames(index: number): LawNames {
  return {
    parameter: `law_p${index}`,
    two: `law_two${index}`,
    input: `law_x${index}`,
    value: `law_value${index}`,
    twoValue: `law_two_value${index}`,
    thrice: `law_thrice${index}`,
    inverse: `law_inverse${index}`,
    logDet: `law_log_det${index}`,
  }
}

const typeOf = (shape: readonly number[]): string => (shape.length === 0 ? 'f32' : `f32[${shape.join(', ')}]`)

/** Whether the declared shape leaves room for several of them. */
export const hasRows = ({ declared }: Instance): boolean =>
  declared.sizes.some(size => size.kind === 'RestSize')

/**
 * The file with a training whose losses are what the laws ask of the instances. The parameters have as many optimizers,
 * each of which has the steps that lead to a loss in one function.
 */
export function lawProgram(
  { constraints, hypers, text }: ConstraintsOfFile,
  instances: readonly Instance[],
): string {
  const declared = new Set(instances.map(instance => instance.declared))
  const functions = constraints.filter(each => declared.has(each)).map(each => each.functions)
  const members = instances.map(parametersOf)
  const losses = instances.flatMap(lossesOf)
  return `${text}
${functions.join('\n')}
train Laws {
${hypers.join('\n')}
${members.join('\n')}
step train() {
${losses.join('\n')}
}
trainer { updates: 1 }
}
`
}

function parametersOf(instance: Instance, index: number): string {
  const { parameter, two, input } = lawNames(index)
  const constraint = shownConstraint(instance)
  const declared = [
    `param ${parameter}: ${typeOf(instance.shape)} in ${constraint}`,
    ...(hasRows(instance) ? [`param ${two}: ${typeOf([2, ...instance.shape])} in ${constraint}`] : []),
    ...(instance.declared.functions ? [`param ${input}: ${typeOf(instance.shape)} = zeros()`] : []),
  ]
  return declared
    .map(each => `${each}\noptimizer ${each.split(/[ :]/)[1]}_ = Sgd(${each.split(/[ :]/)[1]}, lr: 1.0)`)
    .join('\n')
}

function lossesOf(instance: Instance, index: number): readonly string[] {
  const names = lawNames(index)
  const { parameter: p, input } = names
  const { declared, args } = instance
  const rest = args === '' ? '' : `, ${args.slice(1, -1)}`
  // Buffers are written once in a step: behind that the laws are about a constraint as it is in evaluation.
  const written = [p, ...(hasRows(instance) ? [names.two] : [])]
  return [
    ...(declared.stateful ? written.map(each => `minimize first_${each} = ${each} with ${each}_`) : []),
    `minimize ${names.value} = ${p} with ${p}_`,
    `minimize ${names.thrice} = ${p} + ${p} + ${p} with ${p}_`,
    ...(hasRows(instance) ? [`minimize ${names.twoValue} = ${names.two} with ${names.two}_`] : []),
    ...(declared.functions
      ? [`minimize ${names.inverse} = ${inverseName(declared.name)}(${input}${rest}) with ${input}_`]
      : []),
    // A constant one has no slope, which the loss must have.
    ...(declared.places.has('log_det')
      ? [`minimize ${names.logDet} = log_det_jacobian(${p}) + 0 * sum(${p}.raw) with ${p}_`]
      : []),
  ]
}

/** How often a step that reads the parameter three times computes it. */
export function timesComputed(program: Program, index: number): number {
  const { value, thrice } = lawNames(index)
  const once = stepsTo(program, value)
  // The two additions are no part of it; a map that takes no step at all is computed wherever it is read.
  const all = stepsTo(program, thrice) - 2
  return all <= once ? 1 : Math.ceil(all / Math.max(once, 1))
}

/** How many steps lead to a loss. */
function stepsTo({ steps }: Program, name: string): number {
  const statements = steps.flatMap(({ body }) => body)
  return statements.reduce((total, each) => total + (leadsTo(each, name) ? each.body.length : 0), 0)
}

type Minimize = Extract<HostStatement, { kind: 'minimize' }>

const leadsTo = (statement: HostStatement, name: string): statement is Minimize =>
  statement.kind === 'minimize' && statement.terms.some(term => term.name === name)
