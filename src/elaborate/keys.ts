import { showType } from '../types/tensor.ts'
import { describe } from './describe.ts'
import { captured } from './lambdas.ts'
import { showDeclared } from './types.ts'
import type { Value } from './values.ts'

/** The text under which what was made with such an argument is found again. */
export function valueKey(value: Value): string {
  switch (value.kind) {
    case 'tensor':
      return showType(value.type)
    case 'int':
      return String(value.dim)
    case 'float':
    case 'bool':
      return JSON.stringify(value.expr)
    case 'string':
      return JSON.stringify(value.text)
    case 'list':
      return `[${value.items.map(valueKey).join(', ')}]`
    case 'record':
      return `{ ${[...value.fields].map(([name, field]) => `${name}: ${valueKey(field)}`).join(', ')} }`
    case 'function':
      return `${value.name}#${value.declaration.id}${value.self ? ` of ${valueKey(value.self)}` : ''}`
    case 'lambda':
      return `fn#${value.declaration.id} with {${[...captured(value)].map(([name, each]) => ` ${name}: ${valueKey(each)}`).join(',')} }`
    case 'constraint':
      return `${value.spec.key}#${value.spec.declaration.id}`
    case 'declaration':
      return `declaration#${value.declaration.id}`
    case 'module':
      return `${value.spec.key} ${value.borrowed ? 'lent as' : 'at'} ${value.path}${value.frozen ? ` but ${value.frozen.join(', ')}` : ''}`
    case 'opaque_function':
      return `${value.name}: ${showDeclared(value.type)}`
    case 'uniform_list':
      return `[${valueKey(value.item)}] of ${value.length}`
    default:
      return describe(value)
  }
}
