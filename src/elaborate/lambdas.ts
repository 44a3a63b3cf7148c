import type { Node } from '../syntax/ast.ts'
import { visit } from '../syntax/walk.ts'
import type { LambdaValue, Value } from './values.ts'

/** What a lambda reads of the scopes around it, by name: declarations of a file are the same wherever they are read. */
export function captured({ declaration, env }: LambdaValue): ReadonlyMap<string, Value> {
  const own = new Set(declaration.formals.map(({ name }) => name.text))
  const found = new Map<string, Value>()
  for (const name of namesRead(declaration.body)) {
    const value = own.has(name) ? undefined : env.lookup(name)?.value
    if (value && !isDeclared(value)) found.set(name, value)
  }
  return found
}

/** Names that stand for values: those of members and arguments don't. */
function namesRead(body: Node): ReadonlySet<string> {
  const names = new Set<string>()
  const read = (node: Node): void =>
    visit(node, {
      Name: ({ text }) => names.add(text),
      Member: ({ object }) => {
        read(object)
        return false
      },
      Named: ({ value }) => {
        read(value)
        return false
      },
    })
  read(body)
  return names
}

function isDeclared(value: Value): boolean {
  if (value.kind === 'function') return value.self === undefined
  if (value.kind === 'lazy') return value.declaration.kind === 'Const'
  return ['declaration', 'operator', 'host_function', 'error'].includes(value.kind)
}

/**
 * What lambdas in a value read that only the place where they were written has: tensors, parameters, numbers of the run. What is
 * known when the program is compiled goes with them wherever they are called.
 */
export function tiesOf(value: Value): readonly string[] {
  if (value.kind !== 'lambda') return partsOf(value)?.flatMap(tiesOf) ?? []
  return [...captured(value)].flatMap(([name, each]) => (isKnownAnywhere(each) ? [] : [name]))
}

export const isTied = (value: Value): boolean => tiesOf(value).length > 0

function isKnownAnywhere(value: Value): boolean {
  switch (value.kind) {
    case 'int':
      return typeof value.dim === 'number'
    case 'float':
      return value.expr.kind === 'number'
    case 'bool':
      return value.expr.kind === 'bool'
    case 'string':
      return true
    case 'lambda':
      return !isTied(value)
    default:
      return partsOf(value)?.every(isKnownAnywhere) ?? false
  }
}

function partsOf(value: Value): readonly Value[] | undefined {
  if (value.kind === 'list') return value.items
  return value.kind === 'record' ? [...value.fields.values()] : undefined
}
