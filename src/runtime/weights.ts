import * as tf from '@tensorflow/tfjs-core'
import { nearest } from '../base/names.ts'
import { beginsWith, nameInFile, renamedBy } from '../base/weightNames.ts'
import type { StoredTensor } from './contracts.ts'
import { RunError } from './errors.ts'
import { variableOf } from './model.ts'
import { decodeSafetensors } from './safetensors.ts'
import { openFile } from './sources/open.ts'
import {
  type BufferState,
  type ModelState,
  modelOf,
  type ParameterState,
  type Training,
  type WeightsSpec,
} from './training.ts'

/**
 * Gives parameters and buffers the tensors of the files that their models are declared with, and copies the values of what
 * they copy. What a file holds of a
 * constrained parameter is its raw tensor, as the files of checkpoints hold it. All is compared before anything changes.
 */
export async function loadWeights({ models, directory }: Training): Promise<void> {
  for (const holder of models) {
    const { weights } = holder[modelOf]
    copyStarts(holder[modelOf], models)
    if (weights !== undefined) await loadFile(holder[modelOf], weights, directory)
  }
}

type State = ParameterState | BufferState

/** What is copied is declared before its copy, so that it has its own value by now. */
function copyStarts(model: ModelState, models: Training['models']): void {
  const all = models.flatMap(holder => statesOf(holder[modelOf]))
  for (const state of statesOf(model)) {
    const source = all.find(({ path }) => path === state.spec.copies)
    if (source) tf.tidy(() => variableOf(state).assign(tf.clone(variableOf(source))))
  }
}

const statesOf = ({ parameters, buffers }: ModelState): readonly State[] => [...parameters, ...buffers]

async function loadFile(model: ModelState, weights: WeightsSpec, directory: string): Promise<void> {
  const { file, trace } = weights
  const bytes = await openFile({ name: file, trace, kind: 'weights file' }, directory)
  const { tensors } = decodeSafetensors(bytes, file)
  const states = new Map(
    [...model.parameters, ...model.buffers].map(state => [nameInFile(state.path, model.name), state]),
  )
  const { found, faults } = matched(model, weights, states, tensors)
  if (faults.length > 0) throw misfit(model, weights, faults, helpFor(weights, states, tensors))
  for (const [state, { dtype, shape, data }] of found)
    tf.tidy(() => variableOf(state).assign(tf.tensor(data, [...shape], dtype)))
}

interface Matching {
  readonly found: ReadonlyMap<State, StoredTensor>
  readonly faults: readonly string[]
}

function matched(
  { name: model }: ModelState,
  { rename = [], missing = [], unused = [] }: WeightsSpec,
  states: ReadonlyMap<string, State>,
  tensors: ReadonlyMap<string, StoredTensor>,
): Matching {
  const found = new Map<State, StoredTensor>()
  const sources = new Map<State, string>()
  const faults: string[] = []
  const used = new Set<string>()
  for (const [stored, tensor] of tensors) {
    if (unused.some(beginning => beginsWith(stored, beginning))) continue
    const renaming = rename.find(each => renamedBy(each, stored) !== undefined)
    if (renaming !== undefined) used.add(renaming.from)
    const name = nameInFile((renaming && renamedBy(renaming, stored)) ?? stored, '')
    if (missing.some(beginning => beginsWith(name, beginning))) continue
    const state = states.get(name)
    const before = state && sources.get(state)
    if (state === undefined) faults.push(surplus(model, stored, name, tensor, [...states.keys()]))
    else if (before !== undefined)
      faults.push(`\`${state.path}\` is given by \`${before}\` and by \`${stored}\` of the file`)
    else {
      found.set(state, tensor)
      sources.set(state, stored)
      faults.push(...differences(state, stored, tensor))
    }
  }
  for (const [name, state] of states)
    if (!found.has(state) && !missing.some(beginning => beginsWith(name, beginning)))
      faults.push(`\`${state.path}\` is ${typeOf(variableOf(state))}, and the file has no \`${name}\``)
  for (const { from } of rename)
    if (!used.has(from)) faults.push(`nothing in the file begins with \`${from}\`, which is to be renamed`)
  return { found, faults }
}

/** What the file has and the model has not; a name that it may have been meant by stands behind it. */
function surplus(
  model: string,
  stored: string,
  name: string,
  tensor: StoredTensor,
  names: readonly string[],
): string {
  const near = nearest(name, names)
  const meant = near === undefined ? '' : `; there is \`${near}\``
  const read = name === stored ? '' : ` (read as \`${name}\`)`
  return `\`${stored}\`${read} is ${typeOf(tensor)} in the file, and \`${model}\` has no such parameter or buffer${meant}`
}

function differences(state: State, stored: string, tensor: StoredTensor): readonly string[] {
  const expected = variableOf(state)
  if (typeOf(expected) === typeOf(tensor)) return []
  const raw = 'constraint' in state.spec && state.spec.constraint !== undefined ? ', raw,' : ''
  return [
    `\`${state.path}\` is ${typeOf(expected)}${raw} here, and \`${stored}\` is ${typeOf(tensor)} in the file`,
  ]
}

const dtypes: Readonly<Record<string, string>> = { float32: 'f32', int32: 'i32', bool: 'bool' }

function typeOf({ dtype, shape }: { readonly dtype: string; readonly shape: readonly number[] }): string {
  return `${dtypes[dtype] ?? dtype}${shape.length === 0 ? '' : `[${shape.join(', ')}]`}`
}

const mostShown = 12

function misfit(
  model: ModelState,
  { file, trace }: WeightsSpec,
  faults: readonly string[],
  help: string,
): RunError {
  const shown = faults.slice(0, mostShown).map(fault => `\n  ${fault}`)
  const more = faults.length > mostShown ? `\n  and ${faults.length - mostShown} more` : ''
  return new RunError({
    code: 'LTM4392',
    message: `the weights in ${file} do not fit \`${model.name}\`:${shown.join('')}${more}`,
    trace,
    help,
  })
}

/** Where the names of the file only have something in front, that is all there is to say. */
function helpFor(
  { rename = [] }: WeightsSpec,
  states: ReadonlyMap<string, State>,
  tensors: ReadonlyMap<string, StoredTensor>,
): string {
  const names = [...tensors.keys()]
  const first = names[0]?.split('.')[0]
  const inFront = (name: string): boolean => name.split('.')[0] === first
  const own = first === undefined ? [] : names.filter(inFront)
  const fits = own.filter(name => states.has(nameInFile(name.slice((first ?? '').length), '')))
  if (
    rename.length === 0 &&
    own.length > 0 &&
    fits.length === own.length &&
    !names.some(name => states.has(name))
  )
    return `the names in the file begin with \`${first}.\`: write \`rename: { "${first}.": "" }\``
  return '`rename: { "encoder.": "backbone." }` gives names of the file, or beginnings of them, another form; what keeps its start values is listed in `missing: "head."`, what the file has too much in `unused: "decoder."`'
}
