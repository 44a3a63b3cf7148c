import { type Code, join, renderCode, ts } from '../../base/code.ts'
import type { Func } from '../../ir/ir.ts'
import { blank, layout, type Statement, statement } from '../layout.ts'
import { documentation } from './docs.ts'
import type { Env, Section } from './env.ts'
import { type FunctionText, renderFunction, type Style } from './functionText.ts'
import { claim, functionName, longFunctionName } from './names.ts'
import { isForEvaluation } from './phases.ts'
import { lengthOf, type Part } from './values.ts'

/** A function of the IR as the generated program has it. */
export interface EmittedFunction {
  readonly name: string
  readonly func: Func
  /** For each parameter whether callers hand it over. */
  readonly needed: readonly boolean[]
  /** Names of the results where it returns a record. */
  readonly fields: readonly string[] | undefined
  /** The type of its module's parameters, and of parts of the module. */
  readonly selfType: string | undefined
  readonly parts: ReadonlyMap<string, Part>
}

/** A function of the generated program, shared by all functions of the IR that read the same. */
export interface PlacedFunction {
  readonly name: string
  /** Sizes are numbers until an instance of other sizes makes it read them off its inputs. */
  text: FunctionText
  /** What is shown of it now. */
  shown: string
  /** What would serve any size; undefined where its instances would differ then. */
  general: string | undefined
  /** Specialisations that read the same; documentation shows what they have in common. */
  readonly instances: Func[]
}

/** See {@link emitFunction}. */
export type EmitFunction = (env: Env, func: Func, style: Style, section: Section) => EmittedFunction

/** Emits a function into a section, unless one that reads the same stands already. */
export function emitFunction(env: Env, func: Func, style: Style, section: Section): EmittedFunction {
  const key = `${style.kind} ${func.name}`
  const known = env.emitted.get(key)
  if (known !== undefined) return known
  const text = renderFunction(env, func, style, section)
  const { name } = sharedFunction(env, func, style, section, text)
  const { needed, fields, selfType, parts } = text
  const emitted: EmittedFunction = { name, func, needed, fields, selfType, parts }
  env.emitted.set(key, emitted)
  return emitted
}

/**
 * The function that reads the same, be it when all its instances read their sizes off their inputs:
 * `tf.reshape(self.offset, [-1, 1, 1])` serves any number of channels. Where there is none, a new one.
 */
function sharedFunction(
  env: Env,
  func: Func,
  style: Style,
  section: Section,
  text: FunctionText,
): PlacedFunction {
  const shown = `${func.declaration} ${shownText(text)}`
  const anySize = renderFunction(env, func, style, section, true)
  const general = `${func.declaration} of any size ${shownText(anySize)}`
  const same = env.texts.get(shown)
  if (same?.shown === shown) return withInstance(same, func, same.general === general ? general : undefined)
  const like = env.texts.get(general)
  if (like?.general === general) {
    Object.assign(like, { text: anySize, shown: general })
    return withInstance(like, func, general)
  }
  const placed = placeFunction(env, func, text, section, shown, general)
  for (const key of [shown, general]) env.texts.set(key, placed)
  return placed
}

function withInstance(placed: PlacedFunction, func: Func, general: string | undefined): PlacedFunction {
  placed.instances.push(func)
  placed.general = general
  return placed
}

function shownText(text: FunctionText): string {
  return layout([declarationOf('', text)], 'typescript')
}

function placeFunction(
  env: Env,
  func: Func,
  text: FunctionText,
  section: Section,
  shown: string,
  general: string,
): PlacedFunction {
  const name = claim(env.globals, nameOf(env, func), '_')
  const placed: PlacedFunction = { name, text, shown, general, instances: [func] }
  env.sections[section].push(() => [
    documentation(env, placed.instances),
    declarationOf(placed.name, placed.text),
    blank,
  ])
  return placed
}

/** What a function wants to be called: by its declaration, and what it is for where that isn't training. */
function nameOf(env: Env, func: Func): string {
  const short = ended(functionName(func.declaration), env.endings.get(func.name) ?? '')
  const name = env.declared.has(short) ? longFunctionName(func.declaration) : short
  return isForEvaluation(env, func) ? `${name}Eval` : name
}

function ended(name: string, ending: string): string {
  return name.toLowerCase().endsWith(ending.toLowerCase()) ? name : name + ending
}

function declarationOf(
  name: string,
  { params, returns, lines, result, resultTrace }: FunctionText,
): Statement {
  return {
    kind: 'statement',
    code: ts`function ${name}(${join(params)})${returns} {`,
    body: [...lines, statement(ts`return ${result}`, resultTrace)],
    close: '}',
  }
}

/** An arrow function where its text is one short expression, else the name of a declared function. */
export function functionValue(env: Env, func: Func, style: Style, section: Section): Code {
  const text = renderFunction(env, func, style, section)
  if (text.lines.length > 0 || lengthOf(text.result) > longestArrow)
    return emitFunction(env, func, style, section).name
  const body = renderCode(text.result, 'typescript').startsWith('{') ? ts`(${text.result})` : text.result
  return ts`${arrowParameters(text)} => ${body}`
}

const longestArrow = 120

/** The context of an arrow function says the types of its parameters. */
function arrowParameters({ params }: FunctionText): Code {
  const names = params.map(param => renderCode(param, 'javascript'))
  const [only = ''] = names
  return names.length === 1 && /^\w+$/.test(only) ? only : `(${names.join(', ')})`
}
