import type { Span } from '../base/source.ts'
import type { Value } from './values.ts'

/** What a name stands for in a scope. */
export interface Binding {
  readonly value: Value
  /** Where it was declared; undefined for predeclared names. */
  readonly span: Span | undefined
  /** A `var` may be set, a `let` may not. */
  readonly mutable: boolean
  /** A top-level `const`: in a shape only a capitalised one counts (F16). */
  readonly constant?: boolean
  /** The conditions it exists under, where they aren't known (F35). */
  readonly conditions?: readonly string[]
  /** A `var` of a `train`: it outlives the step that sets it. */
  readonly persistent?: boolean
  /** A dimension variable: nothing may shadow it (F16). */
  readonly size?: boolean
  /** A name of a `train` or of one of its steps: nothing inside may shadow it (F18). */
  readonly unshadowed?: boolean
}

/** What a value of an outer scope is to those who look through this one. */
export type Import = (value: Value, name: string) => Value

/** A chain of scopes. Bindings of a scope are added while its statements are elaborated, in order. */
export class Env {
  readonly #bindings = new Map<string, Binding | (() => Binding)>()
  readonly parent: Env | undefined
  readonly #import: Import | undefined

  constructor(parent?: Env, importing?: Import) {
    this.parent = parent
    this.#import = importing
  }

  lookup(name: string): Binding | undefined {
    return this.#own(name) ?? this.#imported(name, this.parent?.lookup(name))
  }

  #own(name: string): Binding | undefined {
    const found = this.#bindings.get(name)
    if (typeof found !== 'function') return found
    const binding = found()
    this.#bindings.set(name, binding)
    return binding
  }

  #imported(name: string, binding: Binding | undefined): Binding | undefined {
    return binding && this.#import ? { ...binding, value: this.#import(binding.value, name) } : binding
  }

  /** The nearest binding whose value passes a test: calls resolve to the nearest callable of a name (F46). */
  lookupWhere(name: string, test: (value: Value) => boolean): Binding | undefined {
    const own = this.#own(name)
    return own && test(own.value) ? own : this.#imported(name, this.parent?.lookupWhere(name, test))
  }

  define(
    name: string,
    value: Value,
    span?: Span,
    traits: Partial<Omit<Binding, 'value' | 'span'>> = {},
  ): void {
    this.#bindings.set(name, { value, span, mutable: false, ...traits })
  }

  bind(name: string, binding: Binding): void {
    this.#bindings.set(name, binding)
  }

  /** A name whose binding is made when it is first looked up. */
  defineLate(name: string, make: () => Binding): void {
    this.#bindings.set(name, make)
  }

  /** Gives a `var` a new value in the scope that declared it. */
  assign(name: string, value: Value): void {
    const own = this.#own(name)
    if (own) this.#bindings.set(name, { ...own, value })
    else this.parent?.assign(name, value)
  }

  child(): Env {
    return new Env(this)
  }

  /** Every name in reach, nearest first. */
  names(): readonly string[] {
    return [...this.#bindings.keys(), ...(this.parent?.names() ?? [])]
  }

  owns(name: string): boolean {
    return this.#bindings.has(name)
  }
}
