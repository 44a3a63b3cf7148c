import type { Node, NodeKind, NodeOf } from './ast.ts'

/** The keys of a node under which other nodes lie. */
type ChildKey<K extends NodeKind> = {
  [P in keyof NodeOf<K>]-?: Extract<NodeOf<K>[P], Node | readonly Node[]> extends never ? never : P
}[keyof NodeOf<K>]

/** Where the children of each kind lie, in the order of the source. */
export const childKeys = {
  File: ['declarations'],
  Import: ['names', 'from'],
  Const: ['name', 'type', 'value'],
  Fn: ['name', 'signature', 'body'],
  Loss: ['name', 'signature', 'body'],
  Schedule: ['name', 'signature', 'body'],
  Signature: ['formals', 'result', 'where'],
  Formal: ['name', 'type', 'value'],
  Method: ['signature', 'body'],
  Path: ['parts'],
  Ref: ['path', 'args'],
  Constraint: ['path', 'signature', 'members'],
  Require: ['condition'],
  Raw: ['type'],
  Module: ['name', 'signature', 'members'],
  Param: ['name', 'type', 'constraint', 'value', 'project'],
  Buffer: ['name', 'type', 'value'],
  Layer: ['name', 'value'],
  MemberIf: ['condition', 'then', 'otherwise'],
  Metric: ['name', 'signature', 'members'],
  State: ['name', 'type', 'value', 'merge'],
  Optimizer: ['name', 'signature', 'members'],
  Slot: ['name', 'type', 'value'],
  Dataset: ['name', 'formals', 'source', 'members'],
  Field: ['name', 'type', 'value', 'where', 'pad'],
  Fit: ['name', 'type', 'value', 'where', 'pad'],
  Augment: ['name', 'value'],
  Filter: ['condition'],
  Split: ['parts'],
  Property: ['key', 'value'],
  Train: ['name', 'members'],
  Hyper: ['name', 'type', 'domain', 'value'],
  Data: ['name', 'value'],
  Model: ['name', 'value', 'from'],
  OptimizerMember: ['name', 'value'],
  MetricMember: ['name', 'value'],
  Average: ['name', 'value'],
  TrainStep: ['name', 'streams', 'body'],
  Stream: ['name', 'from'],
  Hook: ['event', 'condition', 'body'],
  HookEvent: ['name', 'payload'],
  HookCadence: ['count', 'of'],
  Trainer: ['settings'],
  Glob: ['root', 'segments'],
  GlobName: ['name'],
  GlobAny: [],
  GlobSubtree: [],
  GlobIndex: ['index'],
  Block: ['statements'],
  Let: ['names', 'type', 'value'],
  Var: ['name', 'type', 'value'],
  SetStatement: ['target', 'value'],
  For: ['names', 'iterable', 'body'],
  If: ['condition', 'then', 'otherwise'],
  While: ['condition', 'body'],
  Break: [],
  Return: ['value'],
  Yield: ['value'],
  Minimize: ['terms', 'optimizer'],
  Term: ['name', 'value', 'over'],
  Log: ['target', 'value', 'over', 'on'],
  Skip: [],
  Stop: ['message'],
  Print: ['message'],
  Debug: ['value'],
  CheckpointStatement: ['name'],
  Freeze: ['glob'],
  Unfreeze: ['glob'],
  CallStatement: ['callee', 'args'],
  NamedType: ['name', 'shape'],
  RestSize: ['name'],
  LikeType: ['name'],
  FnType: ['params', 'result'],
  ListType: ['item'],
  RecordType: ['fields'],
  RecordTypeField: ['name', 'type'],
  NumberLiteral: ['of'],
  StringLiteral: [],
  BoolLiteral: [],
  Name: [],
  Binary: ['left', 'right'],
  Unary: ['operand'],
  Conditional: ['condition', 'then', 'otherwise'],
  Lambda: ['formals', 'body'],
  Range: ['from', 'to'],
  Pipe: ['value', 'stage'],
  Cast: ['value', 'type'],
  Call: ['callee', 'args'],
  Positional: ['value'],
  Named: ['name', 'value'],
  Except: ['glob', 'value', 'names', 'iterable'],
  Member: ['object', 'name'],
  Index: ['object', 'items'],
  NewAxis: [],
  Ellipsis: [],
  RecordLiteral: ['fields'],
  RecordField: ['name', 'value'],
  ListLiteral: ['items'],
  Comprehension: ['item', 'names', 'iterable'],
  Pattern: ['operands', 'inputs', 'output', 'args'],
  PatternAxes: ['axes'],
  PatternName: ['name'],
  PatternNumber: [],
  PatternOne: [],
  PatternRest: [],
  PatternGroup: ['axes'],
  ErrorExpr: [],
} as const satisfies { readonly [K in NodeKind]: readonly ChildKey<K>[] }

/** A key that the table leaves out is a type error here, with the kind and the key in its text. */
type Forgotten = {
  [K in NodeKind]: Exclude<ChildKey<K>, (typeof childKeys)[K][number]> extends infer Key extends string
    ? `${K}.${Key}`
    : never
}[NodeKind]
const nothingForgotten: [Forgotten] extends [never] ? true : Forgotten = true
void nothingForgotten

/** Goes through the children of a node, in the order of the source, while `each` says so; gives what it said last. */
export function everyChild(node: Node, each: (child: Node) => boolean): boolean {
  // The table says which keys hold nodes; the union of all kinds can't follow that.
  const fields = node as unknown as Readonly<Record<string, Node | readonly Node[] | undefined>>
  return childKeys[node.kind].every(key => {
    const value = fields[key]
    if (value === undefined) return true
    return 'kind' in value ? each(value) : value.every(each)
  })
}

/** The children of a node, in the order of the source. */
export function children(node: Node): readonly Node[] {
  const found: Node[] = []
  everyChild(node, child => found.push(child) > 0)
  return found
}

/** What to do at nodes of some kinds. A function that returns `false` keeps the walk out of the node's children. */
export type Visitor = {
  readonly [K in NodeKind]?: (node: NodeOf<K>) => unknown
}

/** Walks a tree from the top, parents before children. */
export function visit(node: Node, visitor: Visitor): void {
  // One kind's function is called with a node of that kind only; the union of all of them can't show it.
  const enter = visitor[node.kind] as ((node: Node) => unknown) | undefined
  if (enter?.(node) === false) return
  everyChild(node, child => {
    visit(child, visitor)
    return true
  })
}
