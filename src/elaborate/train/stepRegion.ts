import { NameSupply } from '../../base/fresh.ts'
import type { Span } from '../../base/source.ts'
import type { HostStatement, Step } from '../../ir/ir.ts'
import { constraintFunction } from '../constraints.ts'
import { type Context, type MemberRead, originOf, type Region } from '../context.ts'
import { emitCall } from '../functionCalls.ts'
import { isNameless, renamedOutput } from '../functionRegion.ts'
import { type ErrorValue, errorValue, type ParamSpec, type TensorValue } from '../values.ts'

/**
 * The statements of a step or hook under construction. A parameter is read, and its constraint evaluated, once, until an
 * optimizer that has it moves it; branches see what was read before them, what comes after does not see theirs.
 */
export class StepRegion implements Region {
  readonly kind = 'step'
  body: HostStatement[] = []
  readonly #names = new NameSupply()
  readonly #places = new NameSupply()
  readonly #named = new Set<string>()
  #reads = new Map<string, TensorValue>()
  #key: string | undefined
  /** The step that makes each value, for slices. */
  readonly makers = new Map<string, Step>()
  /** How often the parameter had been moved when a `read` step read it, by the name of the value. */
  readonly readVersions = new Map<string, { readonly path: string; readonly version: number }>()
  readonly #versions = new Map<string, { readonly count: number; readonly span: Span }>()

  push(step: Step): void {
    this.body.push({ kind: 'compute', step })
    for (const output of step.outputs) this.makers.set(output.name, step)
  }

  fresh(name: string): string {
    return this.#names.fresh(name)
  }

  rename(value: string, name: string): string {
    const last = this.body.at(-1)
    if (last?.kind !== 'compute' || !isNameless(last.step, value) || this.#named.has(value)) return value
    if (last.step.op === 'read') return value
    const own = this.fresh(name)
    this.#named.add(own)
    const step = renamedOutput(last.step, value, own)
    this.body[this.body.length - 1] = { kind: 'compute', step }
    this.makers.delete(value)
    this.makers.set(own, step)
    return own
  }

  member(
    ctx: Context,
    path: string,
    spec: ParamSpec,
    span: Span,
    part: MemberRead['part'] = 'value',
  ): TensorValue | ErrorValue {
    const wanted = spec.constraint ? part : 'raw'
    const known = this.#reads.get(`${path} ${wanted}`)
    if (known) return known
    const value =
      wanted === 'raw' ? this.#readRaw(path, spec, span) : this.#constrained(ctx, path, spec, span, wanted)
    if (value.kind === 'tensor') this.#reads.set(`${path} ${wanted}`, value)
    return value
  }

  #readRaw(path: string, spec: ParamSpec, span: Span): TensorValue {
    const last = path
      .split(/[.[\]]/)
      .filter(piece => piece !== '')
      .at(-1)!
    const name = this.fresh(spec.constraint ? `${last}_raw` : last)
    this.push({
      op: 'read',
      inputs: [],
      attrs: { parameter: path },
      outputs: [{ name, type: spec.raw }],
      origin: originOf(span),
    })
    this.readVersions.set(name, { path, version: this.#versions.get(path)?.count ?? 0 })
    this.#named.add(name)
    return { kind: 'tensor', name, type: spec.raw, span, parameter: { path, spec } }
  }

  #constrained(
    ctx: Context,
    path: string,
    spec: ParamSpec,
    span: Span,
    part: 'value' | 'log',
  ): TensorValue | ErrorValue {
    const raw = this.member(ctx, path, spec, span, 'raw')
    const role = part === 'value' ? 'forward' : 'log_forward'
    const instance = constraintFunction(ctx, spec.constraint!, role, spec.type, spec.raw, spec.type)
    if (!instance || raw.kind === 'error') return errorValue
    const value = emitCall(
      ctx,
      instance,
      { self: undefined, args: [{ name: 'u', value: raw, span }], name: spec.constraint!.text },
      span,
    )
    if (value.kind !== 'tensor') return errorValue
    const last = path
      .split(/[.[\]]/)
      .filter(piece => piece !== '')
      .at(-1)!
    const name = this.rename(value.name, part === 'value' ? last : `${last}_log`)
    return { ...value, name, parameter: { path, spec } }
  }

  key(): string {
    this.#key ??= this.fresh('key')
    return this.#key
  }

  maker(value: string): Step | undefined {
    return this.makers.get(value)
  }

  column(): undefined {
    return undefined
  }

  /** The key, where any draw asked for it. */
  get usedKey(): string | undefined {
    return this.#key
  }

  place(name: string): string {
    return this.#places.fresh(name)
  }

  /** After an update the parameters it moved are read anew. */
  moved(paths: readonly string[], span: Span): void {
    for (const path of paths) {
      this.#versions.set(path, { count: (this.#versions.get(path)?.count ?? 0) + 1, span })
      for (const part of ['raw', 'value', 'log']) this.#reads.delete(`${path} ${part}`)
    }
  }

  /** The update that moved a parameter after this version of it was read. */
  movedSince(path: string, version: number): Span | undefined {
    const now = this.#versions.get(path)
    return now && now.count > version ? now.span : undefined
  }

  /** Statements of a branch, apart from the others. */
  branch(run: () => void): readonly HostStatement[] {
    const outer = this.body
    const reads = new Map(this.#reads)
    this.body = []
    run()
    const inner = this.body
    this.body = outer
    this.#reads = new Map([...reads].filter(([key]) => this.#reads.has(key)))
    return inner
  }
}
