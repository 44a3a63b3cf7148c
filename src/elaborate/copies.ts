import type { Span } from '../base/source.ts'
import { type Context, complain } from './context.ts'
import { describe } from './describe.ts'
import { mapInstances } from './sharing.ts'
import { errorValue, type Value } from './values.ts'

/** `copy(net)`: the instances in a value, with places of their own to come, that start as they do. */
export function copyOf(ctx: Context, value: Value, span: Span): Value {
  if (value.kind === 'error' || value.kind === 'opaque_function') return errorValue
  let copied = 0
  const copy = mapInstances(value, module => {
    if (module.path === '') return module
    copied += 1
    const { borrowed: _, frozen: __, ...own } = module
    return { ...own, path: '', copies: module.path }
  })
  return copied > 0 ? copy : complain(ctx, 'LTM4318', span, { got: describe(value) })
}
