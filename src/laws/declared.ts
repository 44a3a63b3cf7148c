import { type Source, type Span, textOf } from '../base/source.ts'
import type { Constraint, File, Formal, Method, Param, Signature, Size, Type } from '../syntax/ast.ts'
import { NodeIds, parse } from '../syntax/build.ts'
import { visit } from '../syntax/walk.ts'

/** A constraint as its laws see it. */
export interface DeclaredConstraint {
  readonly name: string
  readonly span: Span
  readonly bijective: boolean
  /** It has buffers, which its first evaluation in a training step writes. */
  readonly stateful: boolean
  /** Where `raw` and the methods stand. */
  readonly places: ReadonlyMap<Method['role'] | 'raw', Span>
  readonly formals: readonly Formal[]
  /** The sizes of a value, as declared. */
  readonly sizes: readonly Size[]
  /** The inverse as a plain function, since a program has no name for it: its argument, then those of the constraint. */
  readonly functions: string
}

/** A parameter that is constrained. */
export interface Use {
  readonly constraint: string
  /** `(0, high: 1)`, or nothing. */
  readonly args: string
  readonly sizes: readonly Size[]
}

/** What a file says of constraints. */
export interface ConstraintsOfFile {
  readonly constraints: readonly DeclaredConstraint[]
  readonly uses: readonly Use[]
  /** The hypers of its trainings, as they are written; the arguments of uses may name them. */
  readonly hypers: readonly string[]
  /** The file without its trainings; what is left stands on the lines where it stood. */
  readonly text: string
}

/** Reads a file without syntax errors. */
export function constraintsOf(source: Source): ConstraintsOfFile {
  const file = parse(source, () => {}, new NodeIds())
  const uses: Use[] = []
  const hypers = new Map<string, string>()
  visit(file, {
    Param: node => void uses.push(...useOf(node)),
    Hyper: node => void hypers.set(node.name.text, hypers.get(node.name.text) ?? textOf(node.span)),
  })
  return {
    constraints: file.declarations.flatMap(each => (each.kind === 'Constraint' ? [described(each)] : [])),
    uses,
    hypers: [...hypers.values()],
    text: withoutTrainings(file, source.text),
  }
}

function useOf({ constraint, type }: Param): readonly Use[] {
  if (!constraint) return []
  const given = constraint.args?.map(arg => textOf(arg.span)) ?? []
  const args = given.length === 0 ? '' : `(${given.join(', ')})`
  return [{ constraint: dotted(constraint.path), args, sizes: sizesOf(type) }]
}

const dotted = ({ parts }: Constraint['path']): string => parts.map(part => part.text).join('.')

const sizesOf = (type: Type | undefined): readonly Size[] =>
  type?.kind === 'NamedType' ? (type.shape ?? []) : []

function withoutTrainings(file: File, text: string): string {
  return file.declarations.reduce((left, { kind, span }) => {
    if (kind !== 'Train') return left
    const blank = left.slice(span.start, span.end).replace(/[^\n]/g, ' ')
    return left.slice(0, span.start) + blank + left.slice(span.end)
  }, text)
}

function described(node: Constraint): DeclaredConstraint {
  const methods = node.members.filter(member => member.kind === 'Method')
  const raw = node.members.find(member => member.kind === 'Raw')
  const type = methods.find(({ role }) => role === 'forward')?.signature.result ?? raw?.type
  const inverse = methods.find(({ role }) => role === 'inverse')
  return {
    name: dotted(node.path),
    span: node.path.span,
    bijective: node.bijective,
    stateful: node.members.some(member => member.kind === 'Buffer'),
    places: new Map([
      ...methods.map(({ role, span }) => [role, span] as const),
      ...(raw ? [['raw', raw.span] as const] : []),
    ]),
    formals: node.signature.formals,
    sizes: sizesOf(type),
    functions: inverse && type ? functionText(dotted(node.path), inverse, type, node.signature) : '',
  }
}

/** The name of the function that a constraint's inverse is for its laws. */
export const inverseName = (constraint: string): string => `law_inverse_of_${constraint.replaceAll('.', '_')}`

function functionText(name: string, { signature, body, span }: Method, type: Type, own: Signature): string {
  const formals = [
    signature.formals.map(({ name: { text } }) => `${text}: ${textOf(type.span)}`),
    own.formals,
  ]
    .flat()
    .map(each => (typeof each === 'string' ? each : textOf(each.span)))
  // From the `=` or `{` on: what stands between the parentheses and it, such as a result, stays out.
  const written = textOf({ ...span, start: body.span.start })
  return `fn ${inverseName(name)}(${formals.join(', ')}) ${body.kind === 'Block' ? '' : '= '}${written}`
}
