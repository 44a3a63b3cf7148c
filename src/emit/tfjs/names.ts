/** Names that are taken in one scope; those of the scopes around it are taken as well. */
export interface Scope {
  readonly taken: Set<string>
  readonly outer: Scope | undefined
}

/** A scope inside another one. */
export function scopeIn(outer: Scope | undefined, names: Iterable<string> = []): Scope {
  return { taken: new Set(names), outer }
}

/** The first of `name`, `name1`, `name2` … that is free; `separator` stands before the number. */
export function claim(scope: Scope, wanted: string, separator = ''): string {
  const name = identifier(wanted)
  let free = name
  for (let i = 1; isTaken(scope, free); i += 1) free = `${name}${separator}${separator === '' ? i : i + 1}`
  scope.taken.add(free)
  return free
}

function isTaken(scope: Scope | undefined, name: string): boolean {
  return scope !== undefined && (scope.taken.has(name) || isTaken(scope.outer, name))
}

/** A user's name as an identifier: reserved words get an underscore, the suffix of a shadowing value (`h.1`) loses its dot. */
export function identifier(name: string): string {
  const plain = name.replace(/\.(?=\d+$)/, '').replace(/[^\p{L}\p{N}_$]+/gu, '_')
  const started = /^[\p{L}_$]/u.test(plain) ? plain : `_${plain}`
  return reserved.has(started) ? `${started}_` : started
}

/** `Linear.forward` is `linear`, `Accuracy.update` is `accuracyUpdate`: the name of the function that a declaration becomes. */
export function functionName(declaration: string): string {
  const [first = 'f', ...rest] = declaration
    .split('.')
    .filter(part => part !== 'forward' && !/^\d+$/.test(part))
  return identifier([lowerFirst(first), ...rest.map(upperFirst)].map(camelCase).join(''))
}

/** `cross_entropy` is `crossEntropy`. */
function camelCase(text: string): string {
  return text.replace(/(?<=[\p{L}\p{N}])_+(\p{L})/gu, (_, letter: string) => letter.toUpperCase())
}

/** A forward function that is called like something else in the program says what it is: `netForward`. */
export function longFunctionName(declaration: string): string {
  return declaration.endsWith('.forward') ? `${functionName(declaration)}Forward` : functionName(declaration)
}

/** The name of a type for the members of a module: `Linear` of `Linear.forward`. */
export function typeName(declaration: string): string {
  return identifier(upperFirst(declaration.split('.')[0] ?? declaration))
}

export function upperFirst(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1)
}

/** `.name` or `['name']`, whichever reaches this member. */
export function memberAccess(name: string): string {
  return isPlain(name) ? `.${name}` : `[${quote(name)}]`
}

/** A key of an object literal. */
export function propertyKey(name: string): string {
  return isPlain(name) ? name : quote(name)
}

/** One entry of an object literal or pattern, short where key and value agree. */
export function property(key: string, value: string): string {
  return key === value ? key : `${propertyKey(key)}: ${value}`
}

function isPlain(name: string): boolean {
  return /^[\p{L}_$][\p{L}\p{N}_$]*$/u.test(name)
}

/** A string literal, in single quotes unless the other ones save escapes. */
export function quote(text: string): string {
  const mark = text.includes("'") && !text.includes('"') ? '"' : "'"
  const escaped = text.replace(/[\\']/g, char => (char === mark || char === '\\' ? `\\${char}` : char))
  const lines = escaped.replace(/\n/g, '\\n').replace(/\r/g, '\\r')
  return mark + lines.replace(/[\u2028\u2029]/g, char => `\\u${char.charCodeAt(0).toString(16)}`) + mark
}

/** What a generated program may import; no local name hides it. */
export const runtimeValues = [
  'buffer',
  'dataset',
  'debug',
  'kernels',
  'launch',
  'metric',
  'model',
  'optimizer',
  'parameter',
  'random',
  'slices',
  'stacked',
  'tf',
  'watchedCall',
  'watchedOperator',
] as const
export const runtimeTypes = ['Batch', 'Descent', 'Key', 'Run', 'Tensors', 'Training'] as const

const reserved: ReadonlySet<string> = new Set([
  ...'arguments async await break case catch class const continue debugger default delete do else enum eval'.split(
    ' ',
  ),
  ...'export extends false finally for function if implements import in instanceof interface let new null'.split(
    ' ',
  ),
  ...'package private protected public return static super switch this throw true try typeof var void while'.split(
    ' ',
  ),
  ...'with yield undefined NaN Infinity Math Number Record Promise'.split(' '),
])
