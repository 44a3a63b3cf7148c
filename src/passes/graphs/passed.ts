import type { HostExpr } from '../../ir/ir.ts'
import { isFolded } from '../simplify/constants.ts'

/** Arithmetic of numbers and sizes is a number once a batch tells the sizes. */
function folds(expr: HostExpr): boolean {
  if (expr.kind === 'number' || expr.kind === 'size') return true
  return expr.kind === 'apply' && isFolded(expr.operator) && expr.args.every(folds)
}

/** The numbers of the host that a graph is handed, each once. */
export class Passed {
  readonly #known = new Map<string, { readonly name: string; readonly expr: HostExpr }>()

  /** What stands for an expression in the graph: itself, where only sizes decide it. */
  inside(expr: HostExpr): HostExpr {
    if (folds(expr)) return expr
    const key = JSON.stringify(expr)
    const known = this.#known.get(key) ?? { name: `h${this.#known.size}`, expr }
    this.#known.set(key, known)
    return { kind: 'argument', name: known.name }
  }

  get names(): readonly string[] {
    return [...this.#known.values()].map(({ name }) => name)
  }
  get exprs(): readonly HostExpr[] {
    return [...this.#known.values()].map(({ expr }) => expr)
  }
}
