import { type Expr, type Statement, whileTrue } from './code.ts'
import { i32 } from './instructions.ts'
import { fourfold, single } from './lanes.ts'
import type { Scope } from './module.ts'

/** What happens at the elements whose first stands `at` bytes behind the start of a tensor: at four of them, or at one. */
export interface Rounds {
  four(at: Expr<'i32'>): readonly Statement[]
  one(at: Expr<'i32'>): readonly Statement[]
}

/** One pass over `count` elements: four at once for as long as there are, then one by one. */
export function passOver(count: Expr<'i32'>, scope: Scope, { four, one }: Rounds): readonly Statement[] {
  const [at, whole, end] = [scope.local('i32'), scope.local('i32'), scope.local('i32')]
  const next = (width: number): Statement => at.set(i32.add(at, i32.const(4 * width)))
  return [
    at.set(i32.const(0)),
    end.set(i32.shl(count, i32.const(2))),
    whole.set(i32.and(end, i32.const(-16))),
    whileTrue(i32.lt_u(at, whole), [...four(at), next(fourfold.width)]),
    whileTrue(i32.lt_u(at, end), [...one(at), next(single.width)]),
  ]
}
