import type { Span } from '../base/source.ts'
import { diagnose, type Report } from '../diagnostics/diagnostic.ts'
import type {
  Block,
  File,
  Fn,
  Formal,
  Loss,
  Method,
  Module,
  ModuleMember,
  Name,
  Node,
  Schedule,
  SetStatement,
  Train,
} from '../syntax/ast.ts'
import { children } from '../syntax/walk.ts'

/**
 * Warns of names that are declared and never read: a `let` or `var`, an argument, a hyper, a metric, an import. Names of
 * the language's own making, such as the arguments of an optimizer's `update`, are left alone, and so is `_x`.
 */
export function reportUnused(file: File, report: Report): void {
  const scope = new Scope(undefined, report)
  for (const declaration of file.declarations)
    if (declaration.kind === 'Import') for (const name of declaration.names) scope.declare(name, 'the import')
  for (const declaration of file.declarations) if (declaration.kind !== 'Import') walk(declaration, scope)
  scope.close()
}

interface Declared {
  readonly span: Span
  /** What it is, where it is worth a warning. */
  readonly what: string | undefined
  read: boolean
}

/** The names of one scope; closing it reports those that nobody has read. */
class Scope {
  readonly #names = new Map<string, Declared>()
  readonly #shadowed: [string, Declared][] = []
  readonly #outer: Scope | undefined
  readonly report: Report

  constructor(outer: Scope | undefined, report: Report) {
    this.#outer = outer
    this.report = report
  }

  inner(): Scope {
    return new Scope(this, this.report)
  }

  declare({ text, span }: Name, what?: string): void {
    const before = this.#names.get(text)
    if (before) this.#shadowed.push([text, before])
    this.#names.set(text, { span, what, read: false })
  }

  read(name: string): void {
    const own = this.#names.get(name)
    if (own) own.read = true
    else this.#outer?.read(name)
  }

  close(): void {
    for (const [name, { span, what, read }] of [...this.#shadowed, ...this.#names])
      if (what !== undefined && !read && name !== '' && !name.startsWith('_'))
        this.report(diagnose('LTM3016', span, { what, name }))
  }
}

function within(scope: Scope, use: (inner: Scope) => void): void {
  const inner = scope.inner()
  use(inner)
  inner.close()
}

function walk(node: Node, scope: Scope): void {
  switch (node.kind) {
    case 'Name':
      return scope.read(node.text)
    case 'StringLiteral':
      return readInserted(node.text, scope)
    case 'Fn':
    case 'Loss':
    case 'Schedule':
      return walkFunction(node, scope, 'the argument')
    case 'Method':
      // What the methods of constraints, metrics and optimizers take is not theirs to choose.
      return walkFunction(node, scope, undefined)
    case 'Module':
      return walkModule(node, scope)
    case 'Constraint':
    case 'Metric':
    case 'Optimizer':
      return within(scope, inner => {
        declareFormals(node.signature.formals, inner, 'the argument')
        for (const member of node.members) if ('name' in member) inner.declare(member.name)
        walkAll([node.signature, ...node.members], inner)
      })
    case 'Dataset':
      return within(scope, inner => {
        declareFormals(node.formals, inner, 'the argument')
        for (const member of node.members)
          if (member.kind === 'Field' || member.kind === 'Fit') inner.declare(member.name)
        walkAll([...node.formals, node.source, ...node.members], inner)
      })
    case 'Train':
      return walkTrain(node, scope)
    case 'Block':
      return walkBlock(node, scope)
    case 'Let':
    case 'Var':
      return walkAll([...(node.type ? [node.type] : []), node.value], scope)
    case 'SetStatement':
      return walkSet(node, scope)
    case 'For':
      walk(node.iterable, scope)
      return within(scope, inner => {
        for (const name of node.names) inner.declare(name)
        walk(node.body, inner)
      })
    case 'Comprehension':
      walk(node.iterable, scope)
      return within(scope, inner => {
        for (const name of node.names) inner.declare(name)
        walk(node.item, inner)
      })
    case 'Lambda':
      return within(scope, inner => {
        declareFormals(node.formals, inner, undefined)
        walkAll([...node.formals, node.body], inner)
      })
    case 'TrainStep':
      return within(scope, inner => {
        for (const stream of node.streams) {
          if (stream.from) walk(stream.from, inner)
          inner.declare(stream.name)
        }
        walk(node.body, inner)
      })
    case 'Hook':
      return within(scope, inner => {
        if (node.event.kind === 'HookEvent') for (const name of node.event.payload) inner.declare(name)
        else walk(node.event, inner)
        walkAll([...(node.condition ? [node.condition] : []), node.body], inner)
      })
    case 'Log':
      return walkAll([node.value, ...(node.over ? [node.over] : [])], scope)
    case 'Term':
      return walkAll([node.value, ...(node.over ? [node.over] : [])], scope)
    case 'Formal':
      return walkAll([...(node.type ? [node.type] : []), ...(node.value ? [node.value] : [])], scope)
    case 'Named':
    case 'RecordField':
      return walk(node.value, scope)
    case 'Member':
      return walk(node.object, scope)
    case 'Path':
      return node.parts[0] && walk(node.parts[0], scope)
    default:
      return walkAll(withoutOwnName(node), scope)
  }
}

/** The children of a node but for the name that it declares. */
function withoutOwnName(node: Node): readonly Node[] {
  const own = 'name' in node && declares(node) ? node.name : undefined
  return children(node).filter(child => child !== own)
}

const declares = (node: Node): boolean =>
  !['NamedType', 'LikeType', 'PatternName', 'RestSize'].includes(node.kind)

function walkAll(nodes: readonly Node[], scope: Scope): void {
  for (const node of nodes) walk(node, scope)
}

function declareFormals(formals: readonly Formal[], scope: Scope, what: string | undefined): void {
  for (const formal of formals) scope.declare(formal.name, what)
}

function walkFunction(node: Fn | Loss | Schedule | Method, scope: Scope, what: string | undefined): void {
  within(scope, inner => {
    declareFormals(node.signature.formals, inner, what)
    walk(node.signature, inner)
    walk(node.body, inner)
  })
}

function walkModule(node: Module, scope: Scope): void {
  within(scope, inner => {
    declareFormals(node.signature.formals, inner, 'the argument')
    declareMembers(node.members, inner)
    walk(node.signature, inner)
    for (const member of node.members) walkMember(member, inner)
  })
}

function walkMember(member: ModuleMember, scope: Scope): void {
  if (member.kind === 'Method') walkFunction(member, scope, 'the argument')
  else if (member.kind === 'MemberIf') {
    walk(member.condition, scope)
    for (const inner of [...member.then, ...member.otherwise]) walkMember(inner, scope)
  } else walk(member, scope)
}

/** Members may name each other whatever their order. Parameters and layers are reached from outside as well. */
function declareMembers(members: readonly ModuleMember[], scope: Scope): void {
  for (const member of members) {
    if (member.kind === 'Let') for (const name of member.names) scope.declare(name, 'the value')
    else if (member.kind === 'MemberIf') declareMembers([...member.then, ...member.otherwise], scope)
    else if ('name' in member) scope.declare(member.name)
  }
}

function walkTrain(node: Train, scope: Scope): void {
  within(scope, inner => {
    // The only dataset is that of every step that names none.
    const several = node.members.filter(member => member.kind === 'Data').length > 1
    for (const member of node.members) {
      if (member.kind === 'Let') for (const name of member.names) inner.declare(name, 'the value')
      else if (member.kind === 'Hyper') inner.declare(member.name, 'the hyper')
      else if (member.kind === 'MetricMember') inner.declare(member.name, 'the metric')
      else if (member.kind === 'Data') inner.declare(member.name, several ? 'the data' : undefined)
      else if (member.kind === 'Var') inner.declare(member.name, 'the variable')
      else if (member.kind === 'Fn') inner.declare(member.name, 'the function')
      else if ('name' in member && member.kind !== 'TrainStep' && member.name) inner.declare(member.name)
    }
    walkAll(node.members, inner)
  })
}

function walkBlock(node: Block, scope: Scope): void {
  within(scope, inner => {
    for (const statement of node.statements) {
      walk(statement, inner)
      if (statement.kind === 'Let') for (const name of statement.names) inner.declare(name, 'the value')
      if (statement.kind === 'Var') inner.declare(statement.name, 'the variable')
    }
  })
}

/** Setting a variable is no reading of it. */
function walkSet(node: SetStatement, scope: Scope): void {
  const { target } = node
  walk(node.value, scope)
  if ('kind' in target && target.kind === 'Index') walkAll(target.items, scope)
}

/** Names in the braces of `"epoch {epoch}"`. */
function readInserted(text: string, scope: Scope): void {
  for (const [, inserted = ''] of text.matchAll(/\{([^{}]*)\}/g))
    for (const [name] of inserted.matchAll(/[\p{L}_][\p{L}\p{N}_]*/gu)) scope.read(name)
}
