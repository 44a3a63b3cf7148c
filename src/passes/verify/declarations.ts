import type {
  Accumulation,
  Buffer,
  Dataset,
  Metric,
  Optimizer,
  OptimizerGroup,
  Parameter,
  Program,
  ValueType,
} from '../../ir/ir.ts'
import { followedPath } from '../../ir/optimizers.ts'
import type { TensorType } from '../../types/tensor.ts'
import { showValueType } from '../calls.ts'
import { complain, type Facts, functionOf, inside, rootSite, type Site } from './facts.ts'
import { callTypes, type Scope, sameValueType, verifyExpr } from './steps.ts'

/** Datasets, parameters, optimizers and metrics, with the functions that they name. */
export function verifyDeclarations(facts: Facts): void {
  const site = rootSite(facts)
  const { datasets, parameters, buffers, weights, optimizers, metrics } = facts.program
  for (const data of datasets) verifyDataset(inside(site, `data ${data.name}`), data)
  for (const parameter of parameters) verifyParameter(inside(site, `parameter ${parameter.path}`), parameter)
  for (const buffer of buffers) verifyBuffer(inside(site, `buffer ${buffer.path}`), buffer)
  for (const { model } of weights)
    if (![...parameters, ...buffers].some(({ path }) => /^[^.[]*/.exec(path)?.[0] === model))
      complain(site, `the weights of ${model} have no model`)
  for (const optimizer of optimizers) verifyOptimizer(inside(site, `optimizer ${optimizer.name}`), optimizer)
  verifyOwners(site, optimizers)
  for (const metric of metrics) verifyMetric(inside(site, `metric ${metric.name}`), metric)
  verifyTrainer(inside(site, 'trainer'), facts.program)
}

/** Clocks of the trainer are those of optimizers that there are. */
function verifyTrainer(site: Site, { trainer, optimizers }: Program): void {
  verifyAccumulation(site, trainer.accumulate)
  for (const counted of [trainer.updates, trainer.minUpdates, trainer.validate])
    if (counted?.of !== undefined && !optimizers.some(({ name }) => name === counted.of))
      complain(site, `there is no optimizer ${counted.of}`)
}

function verifyAccumulation(site: Site, batches: Accumulation | undefined): void {
  if (batches === undefined || typeof batches === 'number') return
  const scope: Scope = { ...site, values: new Map(), taken: new Set(), sizes: new Set(), args: undefined }
  verifyExpr(scope, batches)
}

function verifyDataset(site: Site, data: Dataset): void {
  const known = [...data.columns.map(column => column.value), ...data.fits.map(fit => fit.name)]
  const functions = [data.func, ...data.fits.map(fit => fit.func), ...data.filters.map(filter => filter.func)]
  for (const name of functions) {
    const unknown = functionOf(site, name).params.find(
      param => param.type !== 'key' && !known.includes(param.name),
    )
    if (unknown) complain(site, `%${unknown.name} of ${name} is no column and not fitted`)
  }
  const given = functionOf(site, data.func).results.length
  if (given !== data.fields.length)
    complain(site, `${data.func} gives ${given} of ${data.fields.length} fields`)
  const replaced = data.augment === undefined ? [] : (functionOf(site, data.augment).fields ?? [])
  const strange = replaced.find(name => !data.fields.some(field => field.name === name))
  if (strange !== undefined) complain(site, `there is no field ${strange} to augment`)
  for (const { tokens } of data.columns)
    if (tokens?.vocabulary !== undefined && !data.vocabularies.some(({ name }) => name === tokens.vocabulary))
      complain(site, `there is no vocabulary ${tokens.vocabulary}`)
  const counted = [...data.fields, ...data.vocabularies, ...data.fits].map(({ name }) => name)
  for (const { of } of data.counts) if (!counted.includes(of)) complain(site, `there is no ${of} to count`)
  for (const by of [data.stratify, data.group])
    if (by !== undefined && !data.fields.some(field => field.name === by))
      complain(site, `there is no field ${by}`)
}

function verifyBuffer(site: Site, { path, type, init }: Buffer): void {
  if (site.facts.parameters.has(path)) complain(site, 'it is also a parameter')
  verifyStart(site, init, type)
}

/** A start value depends on a key at most. */
function verifyStart(site: Site, init: string, type: ValueType): void {
  const inputs = functionOf(site, init).params.map(param => param.type)
  if (inputs.length > 1 || inputs.some(input => input !== 'key'))
    complain(site, `${init} takes more than a key`)
  expectTypes(site, init, callTypes(site, init, inputs, 0), [type])
}

function verifyParameter(site: Site, { type, raw, constraint, projection, init }: Parameter): void {
  verifyStart(site, init, raw)
  if (constraint && projection) complain(site, 'it is constrained and projected')
  if (projection) expectTypes(site, projection.func, callTypes(site, projection.func, [raw], 0), [raw])
  if (!constraint) {
    expectTypes(site, 'a parameter without a constraint', [type], [raw])
    return
  }
  const kept = (constraint.buffers ?? []).map(
    path => site.facts.buffers.get(path)?.type ?? complain(site, `there is no buffer ${path}`),
  )
  expectTypes(site, constraint.forward, callTypes(site, constraint.forward, [raw, ...kept], 0), [type])
  if (constraint.check !== undefined) callTypes(site, constraint.check, [type], 0)
  if (constraint.start !== undefined) verifyStart(site, constraint.start, type)
}

function expectTypes(
  site: Site,
  what: string,
  got: readonly ValueType[],
  wanted: readonly ValueType[],
): void {
  const same = got.length === wanted.length && got.every((type, i) => sameValueType(type, wanted[i]!))
  if (!same) complain(site, `${what} gives (${showTypes(got)}), not (${showTypes(wanted)})`)
}

function showTypes(types: readonly ValueType[]): string {
  return types.map(showValueType).join(', ')
}

function verifyOptimizer(site: Site, optimizer: Optimizer): void {
  verifyAccumulation(site, optimizer.accumulate)
  for (const group of optimizer.groups) {
    if ((group.update === undefined) !== (optimizer.closure !== undefined))
      complain(site, 'a group has an update unless the optimizer has a closure')
    verifyGroup(site, optimizer, group)
  }
}

function verifyGroup(site: Site, optimizer: Optimizer, group: OptimizerGroup): void {
  const { slots, settings, follows } = optimizer
  if (group.settings.length !== settings.length)
    complain(site, `a group has ${group.settings.length} of ${settings.length} settings`)
  const scope: Scope = { ...site, values: new Map(), taken: new Set(), sizes: new Set(), args: undefined }
  for (const setting of group.settings) verifyExpr(scope, setting)
  for (const path of group.parameters) {
    const raw = rawTypeOf(site, path, follows !== undefined)
    if (follows !== undefined) rawTypeOf(site, followedPath(optimizer, path), true)
    if (group.update === undefined) continue
    const inputs = [...slots, 'param', 'grad'].map(() => raw)
    const results = callTypes(site, group.update, inputs, settings.length + 1)
    expectTypes(site, group.update, results, inputs.slice(1))
  }
}

function rawTypeOf(site: Site, path: string, orBuffer: boolean): TensorType {
  const { parameters, buffers } = site.facts
  const buffer = orBuffer ? buffers.get(path)?.type : undefined
  return parameters.get(path)?.raw ?? buffer ?? complain(site, `there is no parameter ${path}`)
}

function verifyOwners(site: Site, optimizers: readonly Optimizer[]): void {
  const owners = new Map<string, string>()
  for (const { name, groups } of optimizers)
    for (const path of groups.flatMap(group => group.parameters)) {
      const owner = owners.get(path)
      if (owner !== undefined) complain(site, `${path} belongs to ${owner} and to ${name}`)
      owners.set(path, name)
    }
}

function verifyMetric(site: Site, { states, compute }: Metric): void {
  const results = callTypes(
    site,
    compute,
    states.map(state => state.type),
    0,
  )
  if (results.length === 0) complain(site, `${compute} gives nothing`)
}
