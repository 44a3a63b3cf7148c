import { showType } from '../types/tensor.ts'
import type { Value } from './values.ts'

/** What a value is, in the user's words, for messages: `f32[n, 10]`, `an int`, `the function \`relu\``. */
export function describe(value: Value): string {
  switch (value.kind) {
    case 'tensor':
      return showType(value.type)
    case 'int':
      return `the int ${value.dim}`
    case 'float':
      if (value.whole && !value.unit) return 'an int that only the run knows'
      return value.unit
        ? `a number of ${value.unit}`
        : value.expr.kind === 'number'
          ? `the float ${value.expr.value}`
          : 'a float'
    case 'bool':
      return 'a bool'
    case 'run_string':
      return 'a string of the run'
    case 'string':
      return 'a string'
    case 'record':
      return (
        value.of ??
        `{ ${[...value.fields].map(([name, field]) => `${name}: ${describe(field)}`).join(', ')} }`
      )
    case 'list':
      return `a list of ${value.items.length}`
    case 'uniform_list':
      return 'a list'
    case 'range':
      return 'a range'
    case 'sequence':
      return `the slices of ${showType(value.tensor.type)} along axis ${value.axis}`
    case 'function':
      return `the function \`${value.name}\``
    case 'operator':
      return `the function \`${value.name}\``
    case 'host_function':
      return `the function \`${value.name}\` of ${value.file}`
    case 'lambda':
    case 'closure':
      return 'a function'
    case 'opaque_function':
      return value.type.kind === 'module' ? `the module \`${value.name}\`` : 'a function'
    case 'constraint':
      return `the constraint \`${value.spec.text}\``
    case 'declaration':
      return `the ${value.declaration.kind.toLowerCase()} \`${declaredName(value.declaration)}\``
    case 'module':
      return value.path === ''
        ? `a module \`${value.spec.declaration.name.text}\``
        : `the \`${value.spec.declaration.name.text}\` \`${value.path}\``
    case 'parameters':
      return 'a group of parameters'
    case 'duration':
      return `${value.count} ${value.unit}`
    case 'metric':
    case 'optimizer':
    case 'data':
      return `the ${value.kind === 'data' ? 'dataset' : value.kind} \`${value.name}\``
    case 'data_member':
      return value.data === ''
        ? `the vocabulary \`${value.name}\``
        : `\`${value.name}\` of the dataset \`${value.data}\``
    case 'param':
      return showType(value.spec.type)
    case 'lazy':
      return `\`${value.declaration.kind === 'Const' ? value.declaration.name.text : (value.declaration.names[0]?.text ?? '')}\``
    case 'error':
      return 'unknown'
  }
}

function declaredName(
  declaration:
    | { readonly name: { readonly text: string } }
    | { readonly path: { readonly parts: readonly { readonly text: string }[] } },
): string {
  return 'name' in declaration
    ? declaration.name.text
    : declaration.path.parts.map(part => part.text).join('.')
}
