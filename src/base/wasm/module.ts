import { type Bytes, flat, list, nameBytes, sized, unsigned } from './bytes.ts'
import { type Expr, type Local, localAt, type Statement, type Type } from './code.ts'

/** A function that a module exports; its code is written when the module is. */
export interface WasmFunction {
  readonly name: string
  readonly write: (scope: Scope) => Body
}

/** A function; `write` asks for its parameters in order, before its first variable. */
export function wasmFunction(name: string, write: (scope: Scope) => Body): WasmFunction {
  return { name, write }
}

/** What the body of a function is made with: its parameters, and variables of its own. */
export interface Scope {
  param<T extends Type>(type: T): Local<T>
  local<T extends Type>(type: T): Local<T>
}

/** What a function does: statements, then what it gives, if anything. */
export interface Body {
  readonly statements: readonly Statement[]
  readonly result?: Expr
}

interface Written {
  readonly name: string
  readonly params: readonly Type[]
  readonly results: readonly Type[]
  readonly locals: readonly Type[]
  readonly code: Bytes
}

function written({ name, write }: WasmFunction): Written {
  const params: Type[] = []
  const locals: Type[] = []
  const { statements, result } = write({
    param: type => localAt(params.push(type) - 1, type),
    local: type => localAt(params.length + locals.push(type) - 1, type),
  })
  const code = [statements.map(each => each.code), result?.code ?? []]
  return { name, params, results: result === undefined ? [] : [result.type], locals, code }
}

const typeCodes: Readonly<Record<Type, number>> = { i32: 0x7f, f32: 0x7d, f64: 0x7c, v128: 0x7b }
const version = [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0]

/** Where a module finds the memory that it works on, whatever its size. */
export const memoryImport = { module: 'host', name: 'memory' } as const

/** The binary form of a module of functions over a memory that the host brings. */
export function encodeModule(functions: readonly WasmFunction[]): Uint8Array<ArrayBuffer> {
  const all = functions.map(written)
  const memory = [nameBytes(memoryImport.module), nameBytes(memoryImport.name), 2, 0, 0]
  const sections = [
    section(1, all.map(typeBytes)),
    section(2, [memory]),
    section(
      3,
      all.map((_, i) => unsigned(i)),
    ),
    section(
      7,
      all.map(({ name }, i) => [nameBytes(name), 0, unsigned(i)]),
    ),
    section(10, all.map(bodyBytes)),
  ]
  return Uint8Array.from(flat([version, sections]))
}

function section(id: number, items: readonly Bytes[]): Bytes {
  return [id, sized(list(items))]
}

function typeBytes({ params, results }: Written): Bytes {
  return [0x60, list(params.map(typeCode)), list(results.map(typeCode))]
}

function bodyBytes({ locals, code }: Written): Bytes {
  return sized([list(locals.map(type => [1, typeCode(type)])), code, 0x0b])
}

function typeCode(type: Type): Bytes {
  return [typeCodes[type]]
}
