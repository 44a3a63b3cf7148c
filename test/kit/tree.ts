import type { Node } from '../../src/syntax/ast.ts'
import { childKeys } from '../../src/syntax/walk.ts'

/**
 * A tree on one line: names and literals as themselves, other nodes as `(Kind details children)`. Lists stand in
 * brackets, a child that is not there is `-`.
 */
export function printTree(node: Node): string {
  switch (node.kind) {
    case 'Name':
      return node.text === '' ? '?' : node.text
    case 'StringLiteral':
      return JSON.stringify(node.text)
    case 'BoolLiteral':
      return String(node.value)
    case 'NumberLiteral':
      return [node.integer ? node.value : `${node.value}f`, node.unit, node.of && `of ${node.of.text}`]
        .filter(part => part !== undefined)
        .join(' ')
    default:
      return `(${[node.kind, ...details(node), ...childTexts(node)].join(' ')})`
  }
}

/** A tree over several lines: declarations, members and statements each begin one. */
export function printLines(node: Node, depth = 0): string {
  const indent = '  '.repeat(depth)
  const parts = fieldsOf(node).map(value => {
    if (!isLined(value)) return ` ${childText(value)}`
    const items = Array.isArray(value) ? value : blockItems(value)
    return items.map((item: Node) => `\n${printLines(item, depth + 1)}`).join('')
  })
  const doc = 'doc' in node && node.doc !== undefined ? ` ${JSON.stringify(node.doc)}` : ''
  return `${indent}${[node.kind, ...details(node)].join(' ')}${doc}${parts.join('')}`
}

const lined: ReadonlySet<string> = new Set([
  ...[
    'Import',
    'Const',
    'Fn',
    'Loss',
    'Schedule',
    'Constraint',
    'Module',
    'Metric',
    'Optimizer',
    'Dataset',
    'Train',
  ],
  ...[
    'Require',
    'Raw',
    'Buffer',
    'Method',
    'Param',
    'Layer',
    'MemberIf',
    'State',
    'Slot',
    'Field',
    'Fit',
    'Augment',
  ],
  ...[
    'Filter',
    'Split',
    'Hyper',
    'Data',
    'Model',
    'OptimizerMember',
    'MetricMember',
    'Average',
    'TrainStep',
    'Hook',
  ],
  ...[
    'Trainer',
    'Let',
    'Var',
    'SetStatement',
    'For',
    'If',
    'While',
    'Break',
    'Return',
    'Yield',
    'Minimize',
    'Log',
  ],
  ...['Skip', 'Stop', 'Print', 'CheckpointStatement', 'Freeze', 'Unfreeze', 'CallStatement'],
])

type Child = Node | readonly Node[] | undefined

/** Lists of items, and blocks, stand on lines of their own. */
function isLined(value: Child): value is Node | readonly Node[] {
  if (value === undefined) return false
  if (!('kind' in value)) return value.some(item => lined.has(item.kind))
  return value.kind === 'Block'
}

const blockItems = (node: Child): readonly Node[] =>
  node && 'kind' in node && node.kind === 'Block' ? node.statements : []

function fieldsOf(node: Node): readonly Child[] {
  const fields = node as unknown as Readonly<Record<string, Child>> // the table says which keys hold nodes
  return childKeys[node.kind].map(key => fields[key])
}

const childTexts = (node: Node): readonly string[] => fieldsOf(node).map(childText)

function childText(value: Child): string {
  if (value === undefined) return '-'
  return 'kind' in value ? printTree(value) : `[${value.map(printTree).join(' ')}]`
}

/** What a node says beside its children: operators, markers, phases. */
function details(node: Node): readonly string[] {
  const children: ReadonlySet<string> = new Set(childKeys[node.kind])
  return Object.entries(node).flatMap(([key, value]) => {
    if (['kind', 'id', 'span', 'doc'].includes(key) || children.has(key)) return []
    if (value === true) return [key]
    if (Array.isArray(value)) return [value.join(',')]
    return typeof value === 'string' || typeof value === 'number' ? [String(value)] : []
  })
}
