import { bug } from '../../base/bug.ts'
import { hostCalls } from '../../ir/hostFunctions.ts'
import type { Func, Optimizer, Origin, Parameter, Phase, Program } from '../../ir/ir.ts'
import type { Line } from '../layout.ts'
import type { EmitFunction, EmittedFunction, PlacedFunction } from './functions.ts'
import { claim, identifier, runtimeTypes, runtimeValues, type Scope, scopeIn } from './names.ts'
import { type Segment, segmentsOf } from './paths.ts'
import { phasesOf } from './phases.ts'

/** The parts of a generated file that hold functions. */
export type Section = 'data' | 'model' | 'optimizers' | 'metrics'

/** What the emitter of one program knows and gathers; passed to every part of it. */
export interface Env {
  readonly program: Program
  /** Operators and calls tell a probe of the runtime that they run, each in a line of its own. */
  readonly watched: boolean
  readonly functions: ReadonlyMap<string, Func>
  readonly parameters: ReadonlyMap<string, Parameter>
  /** Where the buffers of models stand: `net/norm/mean`. */
  readonly bufferPlaces: ReadonlySet<string>
  /** The buffers of constraints, by path. */
  readonly constraintBuffers: ReadonlySet<string>
  /** The names of top-level declarations. */
  readonly globals: Scope
  readonly typeNames: Scope
  /** The names that are taken before functions get theirs. */
  readonly declared: ReadonlySet<string>
  /** The name of a model, dataset, optimizer or metric in the generated program, by kind and the user's name. */
  readonly holders: ReadonlyMap<string, string>
  /** Functions call functions: the emitter of one comes from outside, so that no file imports itself in a circle. */
  readonly emitFunction: EmitFunction
  /** What is put behind the name of a function that belongs to a declaration of another kind, by the function's name. */
  readonly endings: ReadonlyMap<string, string>
  readonly emitted: Map<string, EmittedFunction>
  /** The phases whose steps reach a function, by its name. */
  readonly phases: ReadonlyMap<string, ReadonlySet<Phase>>
  /** Functions by their text without the name, so that equal ones are emitted once. */
  readonly texts: Map<string, PlacedFunction>
  /** Names of the types of modules, by their structure. */
  readonly structures: Map<string, string>
  /** Functions and types in the order in which they are first needed; documentation is known only at the end. */
  readonly sections: Readonly<Record<Section, (() => readonly Line[])[]>>
}

/** The environment at the start: every name that the program declares itself is given. */
export function createEnv(program: Program, emitFunction: EmitFunction, watched = false): Env {
  const fixed = [...runtimeValues, ...runtimeTypes, 'settings', 'vars', 'training', ...stepNames]
  const globals = scopeIn(undefined, fixed)
  const calls = new Set(hostCalls(program).map(({ name, file }) => hostKey(name, file)))
  const holders = new Map([
    ...declared(program).map(([kind, name]) => {
      const wanted = kind === 'average' ? `${name}Average` : name
      return [`${kind} ${name}`, claim(globals, wanted, '_')] as const
    }),
    ...[...calls].map(key => [key, claim(globals, key.split(' ')[1] ?? key, '_')] as const),
  ])
  const constraintBuffers = constraintBuffersOf(program)
  return {
    program,
    watched,
    constraintBuffers,
    bufferPlaces: new Set(program.buffers.map(({ path }) => placeText({ holders, constraintBuffers }, path))),
    functions: new Map(program.functions.map(func => [func.name, func])),
    parameters: new Map(program.parameters.map(parameter => [parameter.path, parameter])),
    globals,
    endings: endingsOf(program),
    typeNames: scopeIn(undefined, [...runtimeTypes, 'Record', 'Promise', 'Array', 'tf']),
    holders,
    declared: new Set(globals.taken),
    emitFunction,
    emitted: new Map(),
    phases: phasesOf(program),
    texts: new Map(),
    structures: new Map(),
    sections: { data: [], model: [], optimizers: [], metrics: [] },
  }
}

/** Whether it moves a model that follows another one. */
export const isAverage = ({ follows }: Optimizer): boolean => follows !== undefined

/** Whether graphs compute what its steps do: it is made for a compiled engine. */
export const isCompiled = ({ program }: Pick<Env, 'program'>): boolean =>
  program.functions.some(({ role }) => role === 'graph')

/** What the functions of steps are called. */
const stepNames = ['train', 'validate', 'test', 'evaluate', 'predict']

function declared(program: Program): readonly (readonly [kind: string, name: string])[] {
  const roots = new Set(modelsOf(program))
  return [
    ...program.datasets.map(({ name }) => ['data', name] as const),
    ...[...roots].map(name => ['model', name === '' ? 'parameters' : name] as const),
    ...program.optimizers.map(each => [isAverage(each) ? 'average' : 'optimizer', each.name] as const),
    ...program.metrics.map(({ name }) => ['metric', name] as const),
  ]
}

/** The models that hold any tensors, in the order in which they are declared. */
export function modelsOf(program: Program): readonly string[] {
  const env = { constraintBuffers: constraintBuffersOf(program) }
  return [...new Set([...program.parameters, ...program.buffers].map(({ path }) => rootOf(env, path).model))]
}

function constraintBuffersOf({ parameters }: Program): ReadonlySet<string> {
  return new Set(parameters.flatMap(({ constraint }) => constraint?.buffers ?? []))
}

/** Where the tensor of a path stands in the generated program: `net/norm/mean`. */
export function placeText(env: Pick<Env, 'holders' | 'constraintBuffers'>, path: string): string {
  const { model, segments } = rootOf(env, path)
  return [holderName(env, 'model', model), ...segments].join('/')
}

/** `digitsFields`, `centreFit`, `weightInit`: the functions of datasets and parameters are called after these. */
function endingsOf({ datasets, parameters, buffers }: Program): ReadonlyMap<string, string> {
  return new Map([
    ...[...parameters, ...buffers].map(({ init }) => [init, 'Init'] as const),
    ...parameters.flatMap(({ constraint }) =>
      constraint?.start ? [[constraint.start, 'Start'] as const] : [],
    ),
    ...datasets.flatMap(({ fits }) => fits.map(({ func }) => [func, 'Fit'] as const)),
    ...datasets.map(({ func }) => [func, 'Fields'] as const),
  ])
}

/** A scope for the locals of one function: they hide neither the runtime nor what the function calls. */
export function localScope(names: Iterable<string>): Scope {
  return scopeIn(undefined, [...runtimeValues, ...runtimeTypes, ...names])
}

/**
 * The model that a parameter belongs to, and its path from there; a parameter of `train` belongs to the model without a
 * name. The buffer of a constraint stands beside the parameter, which is no record: `net['weight.u']`.
 */
export function rootOf(
  { constraintBuffers }: Pick<Env, 'constraintBuffers'>,
  path: string,
): { readonly model: string; readonly segments: readonly Segment[] } {
  const all = segmentsOf(path)
  const own = constraintBuffers.has(path) ? [...all.slice(0, -2), all.slice(-2).join('.')] : all
  const [model = '', ...segments] = own
  return segments.length === 0 ? { model: '', segments: [model] } : { model: String(model), segments }
}

/** What a declaration of the user is called in the generated program. */
export function holderName(
  env: Pick<Env, 'holders'>,
  kind: 'data' | 'model' | 'optimizer' | 'average' | 'metric',
  name: string,
): string {
  const key = kind === 'model' && name === '' ? 'parameters' : name
  return env.holders.get(`${kind} ${key}`) ?? bug(`there is no ${kind} \`${name}\``)
}

/** What an imported function of the user's own is called in the generated program. */
export function hostFunctionName(env: Pick<Env, 'holders'>, name: string, file: string): string {
  return env.holders.get(hostKey(name, file)) ?? bug(`\`${name}\` is not imported`)
}

const hostKey = (name: string, file: string): string => `call ${name} from ${file}`

export function funcOf(env: Env, name: string): Func {
  return env.functions.get(name) ?? bug(`there is no function \`${name}\``)
}

/** `digits.ltm:12`: a file is named as it is seen from the folder of the program's own. */
export function traceOf({ program }: Env, { file, line }: Origin): string {
  return `${seenFrom(program.file, file)}:${line}`
}

/** `digits.ltm:12:9`. */
export function placeOf(env: Env, origin: Origin): string {
  return `${traceOf(env, origin)}:${origin.column}`
}

/** The path of a file as one beside `own` writes it; the standard library has no folder that one could start from. */
export function seenFrom(own: string, file: string): string {
  const folders = own.split(/[\\/]/).slice(0, -1)
  const parts = file.split(/[\\/]/)
  if (parts[0] === 'stdlib' || isRooted(own) !== isRooted(file)) return file
  const differs = parts.findIndex((part, i) => part !== folders[i])
  const left = folders.slice(differs)
  return left.includes('..') ? file : [...left.map(() => '..'), ...parts.slice(differs)].join('/')
}

function isRooted(path: string): boolean {
  return /^([\\/]|[A-Za-z]:)/.test(path)
}

/** A name for a local value. */
export function localName(scope: Scope, name: string): string {
  return claim(scope, identifier(name.replace(/(\.\d+)+$/, '')))
}

/** TypeScript wants a name that nobody reads to begin with `_`. */
export function unread(scope: Scope, name: string): string {
  return name.startsWith('_') ? name : localName(scope, `_${name}`)
}
