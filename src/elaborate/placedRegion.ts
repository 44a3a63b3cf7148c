import type { Span } from '../base/source.ts'
import type { Step } from '../ir/ir.ts'
import type { BufferWrite, Context, ParameterPart, Region, Standard } from './context.ts'
import { keyAt } from './functionCalls.ts'
import { type Owner, resolvePath } from './sharing.ts'
import type { ErrorValue, StateSpec, TensorValue } from './values.ts'

/** A region as a function sees it whose steps are put there: its module's parameters lie where the instance does, its draws below a place. */
export class PlacedRegion implements Region {
  readonly #outer: Context
  readonly #owner: Owner
  readonly #place: string
  readonly #span: Span
  #key: string | undefined

  constructor(outer: Context, owner: Owner, place: string, span: Span) {
    this.#outer = outer
    this.#owner = owner
    this.#place = place
    this.#span = span
  }

  get #region(): Region {
    return this.#outer.region
  }

  get kind(): Region['kind'] {
    return this.#region.kind
  }

  push(step: Step, sole?: string): void {
    this.#region.push(step, sole)
  }

  fresh(name: string): string {
    return this.#region.fresh(name)
  }

  rename(value: string, name: string): string {
    return this.#region.rename(value, name)
  }

  member(
    _ctx: Context,
    path: string,
    spec: StateSpec,
    span: Span,
    part?: ParameterPart,
  ): TensorValue | ErrorValue {
    return this.#region.member(this.#outer, resolvePath(this.#owner, path), spec, span, part)
  }

  write(write: BufferWrite): void {
    this.#region.write({ ...write, path: resolvePath(this.#owner, write.path) })
  }

  key(): string {
    this.#key ??= keyAt(this.#outer, this.#place, this.#span)
    return this.#key
  }

  maker(value: string): Step | undefined {
    return this.#region.maker(value)
  }

  column(offset: number): TensorValue | undefined {
    return this.#region.column(offset)
  }

  standard(offset: number): Standard | undefined {
    return this.#region.standard(offset)
  }

  place(name: string): string {
    return this.#region.place(name)
  }
}
