import {
  type CstElement,
  type CstNode,
  createToken,
  createTokenInstance,
  type IToken,
  Lexer,
  type TokenType,
} from 'chevrotain'

export type { CstElement, CstNode, TokenType }
export type Token = IToken

/** A list of declarations, members or statements: what a word may start depends on the list it stands in. */
export type Place = 'file' | 'constraint' | 'module' | 'metric' | 'optimizer' | 'dataset' | 'train' | 'block'

interface WordEntry {
  /** A reserved word is never the name of a variable; all other words are names wherever they start nothing. */
  readonly reserved?: true
  /** The lists in which it starts an item. */
  readonly starts?: readonly Place[]
  readonly is?: 'unit' | 'phase'
}

/** Every word of the language, once: lexer, recovery, messages, completion and highlighting read this table. */
export const words = {
  import: { reserved: true, starts: ['file'] },
  fn: { reserved: true, starts: ['file', 'module', 'train'] },
  if: { reserved: true, starts: ['module', 'block'] },
  then: { reserved: true },
  else: { reserved: true },
  for: { reserved: true, starts: ['block'] },
  in: { reserved: true },
  let: { reserved: true, starts: ['module', 'train', 'block'] },
  var: { reserved: true, starts: ['train', 'block'] },
  set: { reserved: true, starts: ['block'] },
  return: { reserved: true, starts: ['block'] },
  and: { reserved: true },
  or: { reserved: true },
  not: { reserved: true },
  true: { reserved: true },
  false: { reserved: true },
  div: { reserved: true },
  rearrange: { reserved: true },
  reduce: { reserved: true },
  einsum: { reserved: true },
  like: { reserved: true },

  const: { starts: ['file'] },
  constraint: { starts: ['file'] },
  module: { starts: ['file'] },
  loss: { starts: ['file'] },
  metric: { starts: ['file', 'train'] },
  optimizer: { starts: ['file', 'train'] },
  schedule: { starts: ['file'] },
  dataset: { starts: ['file'] },
  train: { starts: ['file'], is: 'phase' },

  param: { starts: ['module', 'train'] },
  buffer: { starts: ['constraint', 'module'] },
  layer: { starts: ['module'] },
  forward: { starts: ['constraint', 'module'] },
  require: { starts: ['constraint', 'module', 'metric', 'optimizer'] },
  raw: { starts: ['constraint'] },
  inverse: { starts: ['constraint'] },
  log_det: { starts: ['constraint'] },
  log_forward: { starts: ['constraint'] },
  check: { starts: ['constraint'] },
  state: { starts: ['metric'] },
  slot: { starts: ['optimizer'] },
  update: { starts: ['metric', 'optimizer'] },
  compute: { starts: ['metric'] },
  field: { starts: ['dataset'] },
  fit: { starts: ['dataset'] },
  augment: { starts: ['dataset'] },
  filter: { starts: ['dataset'] },
  split: { starts: ['dataset'] },
  hyper: { starts: ['train'] },
  data: { starts: ['train'] },
  model: { starts: ['train'] },
  average: { starts: ['train'] },
  freeze: { starts: ['train', 'block'] },
  step: { starts: ['train'] },
  on: { starts: ['train'] },
  trainer: { starts: ['train'] },

  minimize: { starts: ['block'] },
  log: { starts: ['block'] },
  skip: { starts: ['block'] },
  stop: { starts: ['block'] },
  print: { starts: ['block'] },
  debug: { starts: ['block'] },
  checkpoint: { starts: ['block'] },
  unfreeze: { starts: ['block'] },
  call: { starts: ['block'] },
  yield: { starts: ['block'] },
  break: { starts: ['block'] },
  while: { starts: ['block'] },

  from: {},
  version: {},
  bijective: {},
  where: {},
  pad: {},
  merge: {},
  project: {},
  frozen: {},
  cycle: {},
  with: {},
  over: {},
  bar: {},
  every: {},
  of: {},
  except: {},
  val: { is: 'phase' },
  test: { is: 'phase' },
  predict: { is: 'phase' },
  batches: { is: 'unit' },
  updates: { is: 'unit' },
  epochs: { is: 'unit' },
  examples: { is: 'unit' },
  seconds: { is: 'unit' },
  minutes: { is: 'unit' },
  hours: { is: 'unit' },
} as const satisfies Readonly<Record<string, WordEntry>>

export type Word = keyof typeof words

const entries = Object.entries(words) as readonly (readonly [Word, WordEntry])[] // Object.entries forgets the keys

/** The words that start an item in a place. */
export function starters(place: Place): readonly Word[] {
  return entries.filter(([, entry]) => entry.starts?.includes(place)).map(([word]) => word)
}

const abstract = (name: string, label: string, categories: TokenType[] = []): TokenType =>
  createToken({ name, label, categories, pattern: Lexer.NA })

/** Any word at all, reserved ones too: names of arguments, fields and members (`in: 3`, `x.in`). */
export const AnyWord = abstract('AnyWord', 'a name')
/** An identifier or a word that is not reserved. */
export const Name = abstract('Name', 'a name', [AnyWord])
/** `batches updates epochs examples seconds` */
export const Unit = abstract('Unit', 'a unit')
/** `train val test predict` */
export const Phase = abstract('Phase', 'train, val, test or predict')
/** What may stand between two operands. */
export const Operator = abstract('Operator', 'an operator')
/** `-` and `not` */
export const Prefix = abstract('Prefix', '`-` or `not`')
/** The functions that a constraint or a metric may define. */
export const ConstraintRole = abstract('ConstraintRole', 'a function of the constraint')
export const MetricRole = abstract('MetricRole', '`update` or `compute`')

export const Identifier = createToken({
  name: 'Identifier',
  label: 'a name',
  pattern: /[A-Za-z_]\w*/,
  categories: [Name],
})

const operatorWords: ReadonlySet<string> = new Set(['and', 'or', 'div'])
const constraintRoles: ReadonlySet<string> = new Set([
  'forward',
  'inverse',
  'log_det',
  'log_forward',
  'check',
])
const metricRoles: ReadonlySet<string> = new Set(['update', 'compute'])

function categoriesOf(name: Word, entry: WordEntry): TokenType[] {
  const categories = [entry.reserved ? AnyWord : Name]
  if (entry.is === 'unit') categories.push(Unit)
  if (entry.is === 'phase') categories.push(Phase)
  if (operatorWords.has(name)) categories.push(Operator)
  if (name === 'not') categories.push(Prefix)
  if (constraintRoles.has(name)) categories.push(ConstraintRole)
  if (metricRoles.has(name)) categories.push(MetricRole)
  return categories
}

/** The token type of each word, by the word. */
export const word = Object.fromEntries(
  entries.map(([name, entry]) => [
    name,
    createToken({
      name,
      label: `\`${name}\``,
      pattern: name,
      longer_alt: Identifier,
      categories: categoriesOf(name, entry),
    }),
  ]),
) as Readonly<Record<Word, TokenType>> // fromEntries forgets the keys

const sign = (name: string, pattern: string, categories: TokenType[] = []): TokenType =>
  createToken({ name, label: `\`${pattern}\``, pattern, categories })

export const LParen = sign('LParen', '(')
export const RParen = sign('RParen', ')')
export const LBracket = sign('LBracket', '[')
export const RBracket = sign('RBracket', ']')
export const LBrace = sign('LBrace', '{')
export const RBrace = sign('RBrace', '}')
export const Comma = sign('Comma', ',')
export const Colon = sign('Colon', ':')
export const Cast = sign('Cast', ':>')
export const Ellipsis = sign('Ellipsis', '...')
export const DotDot = sign('DotDot', '..')
export const Dot = sign('Dot', '.')
export const PipeInto = sign('PipeInto', '|>')
export const Arrow = sign('Arrow', '->')
export const Equals = sign('Equals', '=')
export const Minus = sign('Minus', '-', [Operator, Prefix])
export const Star = sign('Star', '*', [Operator])
export const Less = sign('Less', '<', [Operator])
export const Caret = sign('Caret', '^', [Operator])
export const EqualEqual = sign('EqualEqual', '==', [Operator])
export const NotEqual = sign('NotEqual', '!=', [Operator])
const operators = [
  EqualEqual,
  NotEqual,
  sign('LessEqual', '<=', [Operator]),
  sign('GreaterEqual', '>=', [Operator]),
  Less,
  sign('Greater', '>', [Operator]),
  sign('Plus', '+', [Operator]),
  Minus,
  Star,
  sign('Slash', '/', [Operator]),
  sign('Percent', '%', [Operator]),
  sign('At', '@', [Operator]),
  Caret,
]

export const NumberToken = createToken({
  name: 'NumberToken',
  label: 'a number',
  pattern: /\d[\d_]*(\.\d+)?([eE][+-]?\d+)?/,
})
export const StringToken = createToken({
  name: 'StringToken',
  label: 'a string',
  pattern: /"(?:[^"\\\r\n]|\\[^\r\n])*"/,
})
/** A string that its line ends: reported, then read as a string. */
export const OpenString = createToken({
  name: 'OpenString',
  label: 'a string',
  pattern: /"(?:[^"\\\r\n]|\\[^\r\n])*\\?/,
  categories: [StringToken],
})
export const Underscore = createToken({ name: 'Underscore', label: '`_`', pattern: /_(?!\w)/ })

/** Stands for what could not be read; the lexer never makes one, recovery does. It passes for a name. */
export const Missing = createToken({
  name: 'Missing',
  label: 'nothing',
  pattern: Lexer.NA,
  categories: [Name],
})

/** Signs of other languages, lexed so that one message can name the whole sign and what ltm writes instead. */
export const foreign = [
  createToken({ name: 'TripleEquals', pattern: '===', label: '`==`' }),
  createToken({ name: 'NotDoubleEquals', pattern: '!==', label: '`!=`' }),
  createToken({ name: 'AndAnd', pattern: '&&', label: '`and`' }),
  createToken({ name: 'OrOr', pattern: '||', label: '`or`' }),
  createToken({ name: 'Bang', pattern: /!(?!=)/, label: '`not`' }),
  createToken({ name: 'FatArrow', pattern: '=>', label: '`->`' }),
  createToken({ name: 'QuotedText', pattern: /'[^'\r\n]*'/, label: 'a string' }),
  createToken({ name: 'CompoundAssignment', pattern: /[-+*/%@^]=(?!=)|:=/, label: '`set`' }),
]

export const DocComment = createToken({
  name: 'DocComment',
  pattern: /\/\/\/(?!\/)[^\r\n]*/,
  group: 'comments',
})
export const Comment = createToken({ name: 'Comment', pattern: /\/\/[^\r\n]*/, group: 'comments' })
/** A comment as other languages write it: reported, and otherwise left out like a comment. */
export const HashComment = createToken({ name: 'HashComment', pattern: /#[^\r\n]*/, group: 'strays' })
export const Semicolon = createToken({ name: 'Semicolon', pattern: ';', group: 'strays' })
const Space = createToken({ name: 'Space', pattern: /[\s\uFEFF]+/, group: Lexer.SKIPPED, line_breaks: true })

const byLength = (a: TokenType, b: TokenType) => String(b.PATTERN).length - String(a.PATTERN).length

/** Every token type, in the order in which the lexer tries them. */
export const tokens: readonly TokenType[] = [
  Space,
  DocComment,
  Comment,
  HashComment,
  Semicolon,
  NumberToken,
  StringToken,
  OpenString,
  ...Object.values(word).sort(byLength),
  Underscore,
  Identifier,
  ...foreign,
  Ellipsis,
  DotDot,
  Dot,
  PipeInto,
  Arrow,
  Cast,
  Colon,
  ...operators,
  Equals,
  LParen,
  RParen,
  LBracket,
  RBracket,
  LBrace,
  RBrace,
  Comma,
]

/** What the parser needs beside the lexer's tokens: the categories, and the token that recovery makes. */
export const vocabulary: readonly TokenType[] = [
  ...tokens,
  AnyWord,
  Name,
  Unit,
  Phase,
  Operator,
  Prefix,
  ConstraintRole,
  MetricRole,
  Missing,
]

/** A token that stood nowhere in the text, or stood there with other characters; `start` and `end` say where it belongs. */
export function tokenAt(type: TokenType, image: string, start: number, end: number): Token {
  return createTokenInstance(type, image, start, end - 1, Number.NaN, Number.NaN, Number.NaN, Number.NaN)
}

export interface Lexed {
  readonly tokens: readonly Token[]
  /** `//` and `///` comments in order. */
  readonly comments: readonly Token[]
  /** Semicolons and `#` comments: not ltm, and left out of `tokens`. */
  readonly strays: readonly Token[]
  /** Characters that no token starts with. */
  readonly unknown: readonly { readonly offset: number; readonly length: number }[]
}

let lexer: InstanceType<typeof Lexer> | undefined

/**
 * Text to tokens; positions are offsets, counted from `first`. Ends are set here because the lexer's quick mode leaves
 * them out. The lexer is made on first use.
 */
export function tokenize(text: string, first = 0): Lexed {
  lexer ??= new Lexer([...tokens], {
    positionTracking: 'onlyOffset',
    ensureOptimizations: true,
    skipValidations: true,
  })
  const { tokens: found, groups, errors } = lexer.tokenize(text)
  const comments = groups.comments ?? []
  const strays = groups.strays ?? []
  for (const list of [found, comments, strays]) {
    for (const token of list) {
      token.startOffset += first
      token.endOffset = token.startOffset + token.image.length - 1
    }
  }
  const unknown = errors.map(({ offset, length }) => ({ offset: offset + first, length }))
  return { tokens: found, comments, strays, unknown }
}
