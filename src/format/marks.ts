import { type Span, textOf } from '../base/source.ts'
import type { BinaryOperator, File, Node, NodeOf, Pattern } from '../syntax/ast.ts'
import { children } from '../syntax/walk.ts'

/** What the tree says about places of the text, by offset: the tokens themselves say the rest. */
export interface Marks {
  /** Where declarations, members and statements start. */
  readonly items: ReadonlySet<number>
  /** Braces of records, in values and types; all other braces hold items. */
  readonly records: ReadonlySet<number>
  /** Brackets of lists, in values and types; all others are shapes and indices. */
  readonly lists: ReadonlySet<number>
  /** `-` in front of an operand. */
  readonly unary: ReadonlySet<number>
  /** Where the operands of an operator end, with how loosely it binds: the operator is the next token. */
  readonly operators: ReadonlyMap<number, number>
  /** Ranges of the text that are written without spaces. */
  readonly globs: readonly Range[]
  /** The axes of patterns. */
  readonly axes: readonly Range[]
  /** From the operands of a pattern to its axes: there stands its colon. */
  readonly patternColons: readonly Range[]
}
export interface Range {
  readonly start: number
  readonly end: number
}

/** How loosely operators bind; a long expression is broken at the loosest. */
const looseness: Readonly<Record<BinaryOperator, number>> = {
  or: 4,
  and: 5,
  '==': 7,
  '!=': 7,
  '<': 7,
  '<=': 7,
  '>': 7,
  '>=': 7,
  '+': 8,
  '-': 8,
  '*': 9,
  '/': 9,
  div: 9,
  '%': 9,
  '@': 9,
  '^': 11,
}

/** How much a text says, however it is spaced. */
const letters = (span: Span): number => textOf(span).replace(/[\s,]/g, '').length

/** A result type so long gets a line of its own before the arguments do, also in front of a block. */
const longResult = 32

const itemKinds: ReadonlySet<string> = new Set([
  ...'Import Const Fn Loss Schedule Constraint Module Metric Optimizer Dataset Train'.split(' '),
  ...'Require Raw Buffer Method Param Layer MemberIf State Slot Field Fit Augment Filter Split'.split(' '),
  ...'Hyper Data Model OptimizerMember MetricMember Average TrainStep Hook Trainer'.split(' '),
  ...'Let Var SetStatement If While Break Return Yield Minimize Log Skip Stop Print'.split(' '),
  ...'CheckpointStatement Freeze Unfreeze CallStatement'.split(' '),
])

/** Gathers the marks of a file. */
export function marksOf(file: File): Marks {
  const marks = {
    items: new Set<number>(),
    records: new Set<number>(),
    lists: new Set<number>(),
    unary: new Set<number>(),
    operators: new Map<number, number>(),
    globs: [] as Range[],
    axes: [] as Range[],
    patternColons: [] as Range[],
  }
  const visit = (node: Node): void => {
    const { start, end } = node.span
    if (itemKinds.has(node.kind)) marks.items.add(start)
    switch (node.kind) {
      case 'Block':
        // A `for` is an expression, too; as a statement it stands in a block.
        for (const statement of node.statements) marks.items.add(statement.span.start)
        break
      case 'RecordLiteral':
      case 'RecordType':
        marks.records.add(start)
        break
      case 'Trainer':
        marks.records.add(node.settings.span.start)
        break
      case 'ListLiteral':
      case 'Comprehension':
      case 'ListType':
        marks.lists.add(start)
        break
      case 'Unary':
        marks.unary.add(start)
        break
      case 'Binary':
        marks.operators.set(node.right.span.start, looseness[node.operator])
        break
      case 'Pipe':
        marks.operators.set(node.stage.span.start, 3)
        break
      case 'Conditional':
        marks.operators.set(node.then.span.start, 1)
        marks.operators.set(node.otherwise.span.start, 1)
        break
      case 'Fn':
      case 'Loss':
      case 'Schedule':
      case 'Method': {
        const { result } = node.signature
        if (result && (node.body.kind !== 'Block' || letters(result.span) > longResult))
          marks.operators.set(result.span.start, 0)
        break
      }
      case 'Signature':
      case 'Field':
      case 'Fit':
      case 'Log':
      case 'Term':
      case 'Minimize':
        for (const clause of clausesOf(node)) marks.operators.set(clause.span.start, 0)
        break
      case 'Glob':
        marks.globs.push({ start, end })
        break
      case 'Pattern':
        addPattern(node, marks)
        break
      default:
        break
    }
    for (const child of children(node)) visit(child)
  }
  visit(file)
  return marks
}

/** What stands behind `where`, `pad`, `over` and `with`: a long line is broken there first. */
function clausesOf(
  node: NodeOf<'Signature' | 'Field' | 'Fit' | 'Log' | 'Term' | 'Minimize'>,
): readonly Node[] {
  switch (node.kind) {
    case 'Signature':
      return node.where.slice(0, 1)
    case 'Field':
    case 'Fit':
      return [...node.where.slice(0, 1), ...(node.pad ? [node.pad] : [])]
    case 'Log':
    case 'Term':
      return node.over ? [node.over] : []
    case 'Minimize':
      return node.optimizer ? [node.optimizer] : []
  }
}

function addPattern(
  { operands, inputs, output }: Pattern,
  marks: { axes: Range[]; patternColons: Range[] },
): void {
  const start = inputs[0]?.span.start ?? output.span.start
  marks.axes.push({ start, end: output.span.end })
  const last = operands.at(-1)
  if (last) marks.patternColons.push({ start: last.span.end, end: start })
}

/** Whether an offset lies in one of some ranges. */
export function isWithin(offset: number, ranges: readonly Range[]): boolean {
  return ranges.some(range => offset >= range.start && offset < range.end)
}
