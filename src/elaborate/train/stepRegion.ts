import { bug } from '../../base/bug.ts'
import { NameSupply } from '../../base/fresh.ts'
import type { Span } from '../../base/source.ts'
import type { HostExpr, HostStatement, Step } from '../../ir/ir.ts'
import type { TensorType } from '../../types/tensor.ts'
import { constraintFunction } from '../constraints.ts'
import { type BufferWrite, type Context, type MemberRead, originOf, type Region } from '../context.ts'
import { liesBelow } from '../frozen.ts'
import { emitCall } from '../functionCalls.ts'
import { isNameless, lastOf, renamedOutput } from '../functionRegion.ts'
import { applyOperator } from '../tensors.ts'
import { type ErrorValue, errorValue, isBuffer, type StateSpec, type TensorValue } from '../values.ts'

/** A loss that a variable leads to. */
export interface CarriedLoss {
  readonly name: string
  readonly optimizer: string
  readonly paths: readonly string[]
  readonly variables: readonly string[]
  readonly span: Span
  /** It depends on parameters of the optimizer without the variables as well. */
  readonly reaches: boolean
}

/**
 * The statements of a step or hook under construction. A parameter is read, and its constraint evaluated, once, until an
 * optimizer that has it moves it; branches see what was read before them, what comes after does not see theirs. What a
 * buffer is given is read from there on, and written where a list of statements ends, or before it may be left.
 */
export class StepRegion implements Region {
  readonly kind = 'step'
  body: HostStatement[] = []
  readonly #names = new NameSupply()
  #places = new NameSupply()
  readonly #named = new Set<string>()
  #sole: string | undefined
  #reads = new Map<string, TensorValue>()
  /** Buffers with the values that they were given here and that no statement has written yet. */
  #unwritten = new Map<string, BufferWrite>()
  #key: string | undefined
  #isFrozen: (path: string) => boolean
  /** Parameters whose constraints have written their buffers here. */
  #stepped: ReadonlySet<string> = new Set()
  /** The sizes of the batches that the step takes. */
  readonly batches = new Set<string>()
  /** The step that makes each value, for slices. */
  readonly makers = new Map<string, Step>()
  /** How often the parameter had been moved when a `read` step read it, by the name of the value. */
  readonly readVersions = new Map<string, { readonly path: string; readonly version: number }>()
  readonly #versions = new Map<string, Version>()
  readonly #variables = new NameSupply()
  readonly #open = new Set<string>()
  readonly #loops: Loop[] = []
  /** What each variable was given, and where. */
  readonly assignments = new Map<string, readonly { readonly value: string; readonly span: Span }[]>()
  /** Losses that depend on variables, for when all that these are given is known. */
  readonly carried: CarriedLoss[] = []

  constructor(frozen: ReadonlySet<string>) {
    this.#isFrozen = path => frozen.has(path)
  }

  push(step: Step, sole?: string): void {
    this.#sole = sole
    this.body.push({ kind: 'compute', step })
    for (const output of step.outputs) this.makers.set(output.name, step)
  }

  fresh(name: string): string {
    return this.#names.fresh(name)
  }

  rename(value: string, name: string): string {
    const last = this.body.at(-1)
    if (last?.kind !== 'compute' || this.#named.has(value)) return value
    if (!isNameless(last.step, value) && value !== this.#sole) return value
    if (last.step.op === 'read' || last.step.op === 'get') return value
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
    spec: StateSpec,
    span: Span,
    part: MemberRead['part'] = 'value',
  ): TensorValue | ErrorValue {
    const wanted = spec.constraint ? part : 'raw'
    const given = this.#unwritten.get(path)
    if (given) return this.#stopped(ctx, path, given.value, span)
    const known = this.#reads.get(`${path} ${wanted}`)
    if (known) return known
    const value =
      wanted === 'raw' ? this.#readRaw(path, spec, span) : this.#constrained(ctx, path, spec, span, wanted)
    if (value.kind === 'tensor') this.#reads.set(`${path} ${wanted}`, value)
    return value
  }

  #readRaw(path: string, spec: StateSpec, span: Span): TensorValue {
    const last = lastOf(path)
    const name = this.fresh(spec.constraint ? `${last}_raw` : last)
    this.push({
      op: 'read',
      inputs: [],
      attrs: isBuffer(spec) ? { buffer: path } : { parameter: path },
      outputs: [{ name, type: spec.raw }],
      origin: originOf(span),
    })
    if (!isBuffer(spec)) this.readVersions.set(name, { path, version: this.#versions.get(path)?.count ?? 0 })
    this.#named.add(name)
    return { kind: 'tensor', name, type: spec.raw, span, parameter: { path, spec } }
  }

  #constrained(
    ctx: Context,
    path: string,
    spec: StateSpec,
    span: Span,
    part: 'value' | 'log',
  ): TensorValue | ErrorValue {
    const raw = this.member(ctx, path, spec, span, 'raw')
    const role = part === 'value' ? 'forward' : 'log_forward'
    const within = { ...ctx, mode: this.#modeOf(ctx, path, role) }
    const instance = constraintFunction(within, spec.constraint!, role, spec.type, spec.raw, spec.type)
    if (!instance || raw.kind === 'error') return errorValue
    if (instance.writes.length > 0) this.#stepped = new Set([...this.#stepped, path])
    const value = emitCall(
      ctx,
      instance,
      {
        self: undefined,
        args: [{ name: 'u', value: raw, span }],
        name: spec.constraint!.text,
        parameter: path,
      },
      span,
    )
    if (value.kind !== 'tensor') return errorValue
    const last = lastOf(path)
    const name = this.rename(value.name, part === 'value' ? last : `${last}_log`)
    return { ...value, name, parameter: { path, spec } }
  }

  /** A constraint writes its buffers once in a step, in `forward`, and not for a parameter that stands still itself. */
  #modeOf({ mode }: Context, path: string, role: 'forward' | 'log_forward'): Context['mode'] {
    const writes = role === 'forward' && !this.#isFrozen(path) && !this.#stepped.has(path)
    return writes ? mode : { ...mode, training: false }
  }

  /** No gradient flows from what a buffer holds to what it was computed from. */
  #stopped(ctx: Context, path: string, given: TensorValue, span: Span): TensorValue | ErrorValue {
    if (given.type.dtype !== 'f32' || this.makers.get(given.name)?.op === 'stop_gradient') return given
    const known = this.#reads.get(`${path} given`)
    if (known) return known
    const stopped = applyOperator(ctx, 'stop_gradient', [given], {}, span)
    if (stopped.kind === 'tensor') this.#reads.set(`${path} given`, stopped)
    return stopped
  }

  write(write: BufferWrite): void {
    this.#unwritten.set(write.path, write)
    this.#forget(write.path)
  }

  /** Writes what buffers have been given so far, or some of them. */
  writeBuffers(which: (write: BufferWrite) => boolean = () => true): void {
    for (const write of this.#unwritten.values()) {
      if (!which(write)) continue
      const { path, value } = write
      const origin = originOf(value.span ?? bug(`nobody gave ${path} its value`))
      this.body.push({ kind: 'write', buffer: path, value: value.name, origin })
      this.#unwritten.delete(path)
      this.#forget(path)
    }
  }

  /** What buffers hold from here on is not known: a round reads what the one before has written. */
  #leaveBuffers(): void {
    this.writeBuffers()
    for (const [key, { parameter }] of this.#reads)
      if (parameter && isBuffer(parameter.spec)) this.#reads.delete(key)
  }

  #forget(path: string): void {
    for (const part of ['raw', 'value', 'log', 'given']) this.#reads.delete(`${path} ${part}`)
  }

  key(): string {
    const loop = this.#loops.at(-1)
    if (loop) return this.#keyOfRound(loop)
    this.#key ??= this.fresh('key')
    return this.#key
  }

  maker(value: string): Step | undefined {
    return this.makers.get(value)
  }

  standard(): undefined {
    return undefined
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

  /** After an update the parameters it moved are read anew; what their constraints keep is written. */
  moved(paths: readonly string[], span: Span): void {
    this.writeBuffers(write => paths.some(path => liesBelow(write.path, path)))
    for (const path of paths) {
      const count = (this.#versions.get(path)?.count ?? 0) + 1
      this.#versions.set(path, { count, span, made: this.makers.size })
      this.#forget(path)
    }
  }

  /** The update that moved a parameter after this version of it was read. */
  movedSince(path: string, version: number): Span | undefined {
    const now = this.#versions.get(path)
    return now && now.count > version ? now.span : undefined
  }

  /** Whether a value had been computed when a parameter was last moved. */
  madeBeforeMove(value: string, path: string): boolean {
    const place = [...this.makers.keys()].indexOf(value)
    return place >= 0 && place < (this.#versions.get(path)?.made ?? 0)
  }

  /** A name for a variable of the IR, which values do not share. */
  variable(name: string): string {
    return this.#variables.fresh(name)
  }

  /** A variable that blocks of the host set. */
  openVariable(name: string): string {
    const variable = this.variable(name)
    this.#open.add(variable)
    return variable
  }

  /** Whether the variable of this name in the IR may hold another value later. */
  isOpen(variable: string): boolean {
    return this.#open.has(variable)
  }

  /** The value of a variable at this place. */
  held(variable: string, name: string, type: TensorType, span: Span): string {
    const value = this.fresh(name)
    this.push({
      op: 'get',
      inputs: [],
      attrs: { var: variable },
      outputs: [{ name: value, type }],
      origin: originOf(span),
    })
    this.#named.add(value)
    return value
  }

  /** A variable was given a value. */
  assigned(variable: string, value: string, span: Span): void {
    const before = this.assignments.get(variable) ?? []
    this.assignments.set(variable, [...before, { value, span }])
  }

  /** Statements of a block, apart from the others. */
  branch(run: () => void): readonly HostStatement[] {
    const outer = this.body
    const reads = new Map(this.#reads)
    const unwritten = new Map(this.#unwritten)
    const stepped = this.#stepped
    this.body = []
    run()
    const given = new Set(
      [...this.#unwritten.values()].flatMap(write => (unwritten.get(write.path) === write ? [] : write.path)),
    )
    this.writeBuffers(({ path }) => given.has(path))
    const inner = this.body
    this.body = outer
    // A branch that moved a parameter may have read it anew: what was read before it is out of date then.
    this.#reads = new Map([...reads].filter(([key, value]) => this.#reads.get(key) === value))
    this.#unwritten = unwritten
    this.#stepped = stepped
    // Whether the branch is taken or not, what it may write over has been written.
    this.writeBuffers(({ path }) => given.has(path))
    return inner
  }

  /** Blocks of which one is run: what one moves has not been moved in the others, and may have been behind them. */
  branches(runs: readonly (() => void)[]): readonly (readonly HostStatement[])[] {
    const before = new Map(this.#versions)
    const after = new Map(before)
    const lists = runs.map(run => {
      this.#restore(before)
      const list = this.branch(run)
      for (const [path, version] of this.#versions)
        if (version.count > (after.get(path)?.count ?? 0)) after.set(path, version)
      return list
    })
    this.#restore(after)
    return lists
  }

  /** Bodies that take each other's place: the same draws in them have the same names. */
  instead(
    bodies: readonly { readonly isFrozen: (path: string) => boolean; readonly run: () => void }[],
  ): readonly (readonly HostStatement[])[] {
    const [places, isFrozen] = [this.#places, this.#isFrozen]
    const lists = this.branches(
      bodies.map(body => () => {
        this.#places = new NameSupply()
        this.#isFrozen = body.isFrozen
        body.run()
      }),
    )
    this.#places = places
    this.#isFrozen = isFrozen
    return lists
  }

  #restore(versions: Iterable<readonly [string, Version]>): void {
    this.#versions.clear()
    for (const [path, version] of versions) this.#versions.set(path, version)
  }

  /** The body of a loop: its draws have keys of their own in each round. */
  loop(index: string, span: Span, run: () => void): readonly HostStatement[] {
    this.#leaveBuffers()
    return this.branch(() => {
      this.#loops.push({ index, span, body: this.body })
      run()
      this.#loops.pop()
    })
  }

  /** The key of a round is that of its number, below the place of its loop. */
  #keyOfRound(loop: Loop): string {
    if (loop.key !== undefined) return loop.key
    const inner = this.#loops.splice(this.#loops.indexOf(loop))
    const outer = this.key()
    this.#loops.push(...inner)
    const below = (input: string, place: string | HostExpr): Step => ({
      op: 'key_at',
      inputs: [input],
      attrs: { place },
      outputs: [{ name: this.fresh('key_at'), type: 'key' }],
      origin: originOf(loop.span),
    })
    const first = below(outer, this.place('for'))
    const place = first.outputs[0]?.name ?? outer
    const second = below(place, { kind: 'var', name: loop.index })
    loop.body.unshift({ kind: 'compute', step: first }, { kind: 'compute', step: second })
    loop.key = second.outputs[0]?.name ?? place
    return loop.key
  }
}

interface Version {
  readonly count: number
  readonly span: Span
  /** How many values there were when it was moved. */
  readonly made: number
}

/** A loop under construction; the key of its rounds where a draw has asked for it. */
interface Loop {
  readonly index: string
  readonly span: Span
  readonly body: HostStatement[]
  key?: string
}
