import { bug } from '../../base/bug.ts'
import { mapBlocks, within } from '../../ir/blocks.ts'
import type { HostStatement, Origin, Program, Step, Value } from '../../ir/ir.ts'
import { makeBuilder } from '../../ops/builder.ts'
import type { Operand } from '../../ops/op.ts'
import {
  changesState,
  dependsOnTime,
  endsOf,
  exprsOf,
  isEffect,
  outputNames,
  readsOfExpr,
  readsOfStep,
  renameInputs,
  renameReads,
  writesBuffers,
} from '../values.ts'
import { assemble, type Group, type Item } from './call.ts'
import { obstacle } from './compilable.ts'
import { type Context, isGraphCall, isHostStep, type ListContext } from './context.ts'
import { objectiveOf } from './losses.ts'
import { meanOf, plainMean, weightedSum } from './means.ts'

/** Forms the graphs of a list of statements, and of the lists within. */
export function formList(
  statements: readonly HostStatement[],
  context: ListContext,
): readonly HostStatement[] {
  return new ListFormer(context).form(statements)
}

/** Whether an optimizer looks at its loss again, which a graph that has run cannot tell it. */
function hasClosure({ optimizers }: Program, name: string): boolean {
  return optimizers.some(optimizer => optimizer.name === name && optimizer.closure !== undefined)
}

function logsMetrics(statement: HostStatement): boolean {
  return statement.kind === 'log_metric' || within(statement).some(logsMetrics)
}

interface ReadParameter {
  readonly parameter: string
  readonly value: Operand
}

/** A list of statements while its graphs are being gathered. */
class ListFormer {
  readonly #context: Context
  readonly #items: Item[] = []
  readonly #groups: Group[] = []
  /** The first group that may read a value; what was given to the list may be read by all. */
  readonly #availableFrom = new Map<string, number>()
  /** Values that others stand for. */
  readonly #names: Map<string, string>
  /** What the list has written into buffers, and the states that it has given to metrics, by log name. */
  readonly #written = new Map<string, string>()
  readonly #states = new Map<string, readonly string[]>()
  /** What parameters are, by path, as long as nothing has moved. */
  readonly #raw: Map<string, string>
  readonly #differentiated = new Map<string, HostStatement & { readonly kind: 'move' }>()

  constructor({ inherited, raw, ...context }: ListContext) {
    this.#context = context
    this.#names = new Map(inherited)
    this.#raw = new Map(raw)
    this.#open()
  }

  form(statements: readonly HostStatement[]): readonly HostStatement[] {
    for (const statement of statements) this.#add(statement)
    return assemble(this.#context, this.#items, this.#groups)
  }

  #open(): void {
    const group: Group = { heads: [], steps: [] }
    this.#groups.push(group)
    this.#items.push({ group })
  }

  get #current(): number {
    return this.#groups.length - 1
  }

  /** A statement where it stands; what comes into a group that is still empty comes behind it. */
  #keep(statement: HostStatement): void {
    const last = this.#items.at(-1)
    const isEmpty =
      last !== undefined && 'group' in last && last.group.steps.length + last.group.heads.length === 0
    this.#items.splice(isEmpty ? -1 : this.#items.length, 0, { statement })
  }

  /** The first group in which all of these values are known. */
  #levelOf(values: readonly string[]): number {
    return Math.max(0, ...values.map(name => this.#availableFrom.get(name) ?? 0))
  }

  #add(given: HostStatement): void {
    const statement = given.kind === 'compute' ? given : renameReads(given, this.#names)
    switch (statement.kind) {
      case 'compute':
        return this.#compute(renameInputs(statement.step, this.#names))
      case 'minimize':
      case 'differentiate':
        return this.#differentiate(statement)
      case 'move':
        return this.#move(this.#differentiated.get(statement.names.join()) ?? statement)
      case 'log':
        return this.#log(statement)
      case 'log_metric':
        return this.#metric(statement)
      case 'write':
        this.#written.set(statement.buffer, statement.value)
        return this.#keep(statement)
      case 'if':
      case 'for': {
        // What a round reads may be what the one before has moved.
        const raw = statement.kind === 'if' ? this.#raw : new Map<string, string>()
        const inner = mapBlocks(statement, block =>
          formList(block, { ...this.#context, inherited: this.#names, raw }),
        )
        this.#keep(inner)
        if (changesState(statement) || writesBuffers(statement) || logsMetrics(statement)) this.#change()
        return
      }
      case 'var':
      case 'set':
      case 'var_tensor':
      case 'set_tensor':
        // What reads it is computed behind it.
        this.#keep(statement)
        return this.#open()
      default:
        return this.#keep(statement)
    }
  }

  /** What a block has changed, nothing is known of. */
  #change(): void {
    this.#written.clear()
    this.#states.clear()
    this.#raw.clear()
    this.#open()
  }

  // ── Steps ─────────────────────────────────────────────────────────────────────────────────────────────────────────

  #compute(step: Step): void {
    const known = step.op === 'read' ? this.#alreadyRead(step) : undefined
    if (known !== undefined) this.#names.set(step.outputs[0]?.name ?? '', known)
    else if (isGraphCall(step, this.#context.functions)) this.#keepStep(step)
    else if (isEffect(step)) this.#keep({ kind: 'compute', step })
    else if (isHostStep(step, this.#context)) this.#head(step, this.#current)
    else if (this.#isHeld(step)) this.#place(step)
    else this.#keepStep(step)
  }

  /** A step by itself; what reads it comes behind it. */
  #keepStep(step: Step): void {
    this.#keep({ kind: 'compute', step })
    this.#open()
    for (const name of outputNames(step)) this.#availableFrom.set(name, this.#current)
  }

  /** What a read gives that the list has made before. */
  #alreadyRead({ attrs: { buffer, parameter }, outputs: [output] }: Step): string | undefined {
    if (buffer !== undefined) return this.#written.get(String(buffer))
    const known = this.#raw.get(String(parameter))
    if (known === undefined && output !== undefined) this.#raw.set(String(parameter), output.name)
    return known
  }

  #isHeld(step: Step): boolean {
    return obstacle(step, name => this.#context.types.get(name), this.#context.functions) === undefined
  }

  /** A read of the host, before the call of a group. */
  #head(step: Step, level: number): void {
    this.#groups[level]?.heads.push(step)
    for (const name of outputNames(step)) this.#availableFrom.set(name, level)
  }

  #place(step: Step): void {
    const items = exprsOf(step).flatMap(readsOfExpr)
    // A number that the host looks at has been computed by an earlier call.
    const looked = items.length === 0 ? 0 : this.#levelOf(items) + 1
    const timed = dependsOnTime(step) ? this.#current : 0
    const level = Math.max(this.#levelOf(step.inputs), looked, timed)
    while (level > this.#current) this.#open()
    this.#append(level, [step])
  }

  #append(level: number, steps: readonly Step[]): void {
    this.#groups[level]?.steps.push(...steps)
    for (const { name, type } of steps.flatMap(({ outputs }) => outputs)) {
      this.#availableFrom.set(name, level)
      this.#context.types.set(name, type)
    }
  }

  /** Builds further steps into a group. */
  #build<T>(level: number, origin: Origin, build: (make: ReturnType<typeof makeBuilder>) => T): T {
    const steps: Step[] = []
    const made = build(
      makeBuilder({
        steps,
        fresh: name => this.#context.supply.fresh(name),
        origin: () => origin,
      }),
    )
    this.#append(level, steps)
    return made
  }

  #operand(name: string): Operand {
    const type = this.#context.types.get(name)
    return type === undefined || type === 'key' ? bug(`%${name} is no tensor`) : { name, type }
  }

  /** The number of examples of the batch, as the first stream has it. */
  #size(level: number, origin: Origin): Operand {
    const [stream] = this.#context.step.streams
    if (stream === undefined) return this.#build(level, origin, make => make.constant(1))
    return this.#build(level, origin, make => make.size([], { shape: [stream.size] }))
  }

  // ── Losses ────────────────────────────────────────────────────────────────────────────────────────────────────────

  #differentiate(statement: HostStatement & { readonly kind: 'minimize' | 'differentiate' }): void {
    const held = statement.body.every(
      step => isHostStep(step, this.#context) || isEffect(step) || this.#isHeld(step),
    )
    if (!held || hasClosure(this.#context.program, statement.optimizer)) {
      this.#keep({ ...statement, body: statement.body.map(step => renameInputs(step, this.#names)) })
      if (statement.kind === 'minimize') this.#raw.clear()
      this.#open()
      for (const name of statement.exports) this.#availableFrom.set(name, this.#current)
      return
    }
    const needed = [...statement.body.flatMap(readsOfStep), ...endsOf(statement.terms)]
    while (this.#levelOf(needed) > this.#current) this.#open()
    for (const step of statement.body) this.#compute(renameInputs(step, this.#names))
    const move = this.#gradients(statement)
    if (statement.kind === 'differentiate') {
      this.#differentiated.set(move.names.join(), move)
      return
    }
    this.#move(move)
  }

  #move(statement: HostStatement): void {
    this.#keep(statement)
    this.#raw.clear()
    this.#open()
  }

  /** The means of the losses and the gradients by what the optimizer moves, and the `move` by them. */
  #gradients({
    optimizer,
    terms,
    body,
    origin,
  }: HostStatement & { readonly kind: 'minimize' | 'differentiate' }): HostStatement & {
    readonly kind: 'move'
  } {
    const level = this.#current
    const apart = this.#accumulates(optimizer)
    const renamed = terms.map(term => ({
      ...term,
      loss: this.#names.get(term.loss) ?? term.loss,
      ...(term.weight !== undefined && { weight: this.#names.get(term.weight) ?? term.weight }),
    }))
    const { terms: means, objectives } = this.#build(level, origin, make =>
      objectiveOf(
        make,
        renamed,
        apart,
        name => this.#operand(name),
        () => this.#size(level, origin),
      ),
    )
    const reads = this.#reads(optimizer, body)
    const gradients = objectives.map(objective => {
      const outputs = reads.map(
        ({ parameter, value }): Value => ({
          name: this.#context.supply.fresh(`d_${parameter.split('.').at(-1)}`),
          type: value.type,
        }),
      )
      if (outputs.length === 0) return []
      const inputs = [objective.name, ...reads.map(({ value }) => value.name)]
      this.#append(level, [{ op: 'gradient', inputs, attrs: {}, outputs, origin }])
      return reads.map(({ parameter }, i) => ({ parameter, value: outputs[i]!.name }))
    })
    return {
      kind: 'move',
      optimizer,
      names: terms.map(({ name }) => name),
      by: {
        apart,
        terms: means.map(({ mean, weight }) => ({ mean: mean.name, weight: weight.name })),
        gradients,
      },
      origin,
    }
  }

  /** Whether an optimizer's windows may hold several batches, at whatever epoch. */
  #accumulates(name: string): boolean {
    const { optimizers, trainer } = this.#context.program
    const accumulate = optimizers.find(each => each.name === name)?.accumulate ?? trainer.accumulate
    return accumulate !== 1
  }

  /** The parameters of an optimizer that a body reads. */
  #reads(name: string, body: readonly Step[]): readonly ReadParameter[] {
    const optimizer = this.#context.program.optimizers.find(each => each.name === name)
    const own = new Set(optimizer?.groups.flatMap(({ parameters }) => parameters))
    const read = new Set(body.flatMap(({ op, attrs }) => (op === 'read' ? [String(attrs.parameter)] : [])))
    return [...read]
      .filter(path => own.has(path))
      .map(parameter => ({ parameter, value: this.#operand(this.#raw.get(parameter) ?? '') }))
  }

  // ── What is logged ────────────────────────────────────────────────────────────────────────────────────────────────

  /** Means of what a graph computes are computed there too. */
  #log(statement: HostStatement & { readonly kind: 'log' }): void {
    const { value, weight, origin } = statement
    const values = weight === undefined ? [value] : [value, weight]
    if (!values.some(name => this.#isComputed(name))) return this.#keep(statement)
    const level = this.#levelOf(values)
    if (weight === undefined) {
      const { mean } = this.#build(level, origin, make =>
        plainMean(make, this.#operand(value), () => make.constant(1)),
      )
      return this.#keep({ ...statement, value: mean.name })
    }
    const mean = this.#build(level, origin, make =>
      meanOf(make, weightedSum(make, this.#operand(value), this.#operand(weight))),
    )
    this.#keep({ ...statement, value: mean.mean.name, weight: mean.weight.name })
  }

  #isComputed(name: string): boolean {
    return this.#groups.some(({ steps }) => steps.some(step => outputNames(step).includes(name)))
  }

  /** The new states of a metric are computed with what they are made of. */
  #metric(statement: HostStatement & { readonly kind: 'log_metric' }): void {
    const { name, metric, func, inputs, flags, origin } = statement
    const states = this.#context.program.metrics.find(each => each.name === metric)?.states ?? []
    const call = (given: readonly string[]): Step => ({
      op: 'call',
      inputs: [...given, ...inputs],
      attrs: { func, host: [] },
      outputs: states.map(state => ({ name: this.#context.supply.fresh(state.name), type: state.type })),
      origin,
    })
    if (!this.#isHeld(call([]))) return this.#keep(statement)
    const level = this.#levelOf(inputs)
    const updated = call(this.#states.get(name) ?? this.#readStates(level, metric, name, origin))
    this.#append(Math.max(level, this.#levelOf(updated.inputs)), [updated])
    const given = outputNames(updated)
    this.#states.set(name, given)
    this.#keep({ kind: 'log_states', name, metric, states: given, flags, origin })
  }

  #readStates(level: number, metric: string, log: string, origin: Origin): readonly string[] {
    const states = this.#context.program.metrics.find(each => each.name === metric)?.states ?? []
    const outputs = states.map(({ name, type }) => ({ name: this.#context.supply.fresh(name), type }))
    for (const { name, type } of outputs) this.#context.types.set(name, type)
    this.#head({ op: 'read', inputs: [], attrs: { metric, log }, outputs, origin }, level)
    return outputs.map(output => output.name)
  }
}
