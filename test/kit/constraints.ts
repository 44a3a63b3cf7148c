import { textOf } from '../../src/base/source.ts'
import type { Constraint, Method, Signature } from '../../src/syntax/ast.ts'
import { NodeIds, parse } from '../../src/syntax/build.ts'
import { filesOf } from './evaluate.ts'

/** A constraint as the tests see it: its methods as plain functions, since a program has no name for them. */
export interface DeclaredConstraint {
  readonly name: string
  readonly bijective: boolean
  readonly roles: ReadonlySet<Method['role']>
  /** `NAME_inverse_of`: the argument of the method, then those of the constraint. */
  readonly functions: string
}

/** The constraints that a text declares. */
export function constraintsIn(text: string): readonly DeclaredConstraint[] {
  const file = parse({ name: 'constraints.ltm', text }, () => {}, new NodeIds())
  return file.declarations.flatMap(each => (each.kind === 'Constraint' ? [described(each)] : []))
}

/** The constraints of the standard library. */
export function libraryConstraints(): readonly DeclaredConstraint[] {
  return filesOf('')
    .library()
    .flatMap(({ text }) => constraintsIn(text))
}

function described(node: Constraint): DeclaredConstraint {
  const name = node.path.parts.map(part => part.text).join('_')
  const methods = node.members.filter(member => member.kind === 'Method')
  const raw = node.members.find(member => member.kind === 'Raw')!
  const rawType = textOf(raw.type.span)
  const result = methods.find(({ role }) => role === 'forward')?.signature.result
  const type = result ? textOf(result.span) : rawType
  const functions = methods.flatMap(method => {
    if (method.role !== 'inverse') return []
    return [functionText(`${name}_${method.role}`, method, type, node.signature)]
  })
  return {
    name: node.path.parts.map(part => part.text).join('.'),
    bijective: node.bijective,
    roles: new Set(methods.map(({ role }) => role)),
    functions: functions.join('\n'),
  }
}

function functionText(name: string, { signature, span }: Method, type: string, own: Signature): string {
  const formals = own.formals.map(formal => `, ${textOf(formal.span)}`).join('')
  const [formal] = signature.formals
  const written = textOf(span).replace(/^\w+\(\w+\)/, '')
  return `fn ${name}_of(${formal!.name.text}: ${type}${formals})${written}`
}
