import { type Entry, error, warning } from './entry.ts'

/** LTM2xxx: types and shapes. */
export const types = {
  LTM2101: error(
    (d: { callee: string; problem: string }) => `\`${d.callee}\` cannot take this input: ${d.problem}`,
  ),
  LTM2102: error(
    (d: { what: string; expected: string; got: string }) => `${d.what} is ${d.got}, not ${d.expected}`,
  ),
  LTM2103: error(
    (d: { operator: string; problem: string }) => `\`${d.operator}\` cannot combine these: ${d.problem}`,
  ),
  LTM2104: error(
    (d: { name: string; callee: string }) =>
      `cannot infer the size \`${d.name}\` of \`${d.callee}\` from this call`,
    d =>
      `it appears only inside an expression or in the result; annotate the value, as in \`let x: f32[${d.name}] = …\``,
  ),
  LTM2105: error(
    (d: { callee: string }) => `\`${d.callee}\` needs a shape, and none is known here`,
    d => `say it: \`let x: f32[n, k] = ${d.callee}(…)\`, or \`${d.callee}(…, shape: [n, k])\``,
  ),
  LTM2106: error((d: { got: string }) => `a size must be a whole number, and this is ${d.got}`),
  LTM2107: error(
    (d: { left: string; right: string }) => `${d.left} / ${d.right} is not a whole number`,
    () => 'use `div` for the floor, or `float(a) / b` for a fraction',
  ),
  LTM2108: error(
    (d: { got: string }) => `this condition is ${d.got}, not one bool`,
    () =>
      'for a choice by element write `where(condition, a, b)`; `max(…)`, `any(…)` and `all(…)` make one value of many',
  ),
  LTM2109: error((d: { got: string; wanted: string }) => `${d.wanted} is wanted here, and this is ${d.got}`),
  LTM2110: error((d: { index: string; length: string }) => `index ${d.index} is outside of 0..${d.length}`),
  LTM2111: error(
    (d: { got: string; count: number }) =>
      `${d.count} ${d.count === 1 ? 'index' : 'indices'} for ${d.got}, which has fewer axes`,
  ),
  LTM2112: error((d: { pattern: string; problem: string }) => `\`${d.pattern}\` does not fit: ${d.problem}`),
  LTM2113: error(
    (d: { left: string; right: string }) =>
      `whether ${d.left} equals ${d.right} cannot be known before the data is`,
  ),
  LTM2114: error(
    (d: { first: string; second: string }) =>
      `clocks of different units do not mix: ${d.first} and ${d.second}`,
  ),
  LTM2115: error(
    (d: { name: string; expected: string; got: string }) =>
      `\`${d.name}\` is declared ${d.expected}, and its value is ${d.got}`,
  ),
  LTM2116: error(
    (d: { name: string }) =>
      `\`${d.name}\` in this shape is a constant in lower case, which would silently change the meaning of every \`[${d.name}]\``,
    d => `rename the constant to \`${d.name[0]?.toUpperCase()}${d.name.slice(1)}\``,
  ),
  LTM2117: error(
    (d: { name: string; declared: string }) =>
      `the dimension variable \`${d.name}\` would shadow ${d.declared}`,
  ),
  LTM2118: error((d: { condition: string; values: string }) => `\`${d.condition}\` does not hold${d.values}`),
  LTM2119: error(
    (d: { type: string }) => `\`${d.type}\` is not a type`,
    () =>
      'types are `f32[…]`, `i32[…]`, `bool[…]`, `int`, `float`, `bool`, `string`, lists, records and `fn(…) -> …`',
  ),
  LTM2120: error((d: { branches: string }) => `the two branches differ: ${d.branches}`),
  LTM2121: warning(
    (d: { outer: string }) => `\`cross_entropy\` takes logits, and these went through \`${d.outer}\` already`,
    d => `give it the value before \`${d.outer}\``,
  ),
  LTM2122: error((d: { got: string }) => `a gradient is that of one number, and this is ${d.got}`),
  LTM2123: error(
    (d: { y: string; x: string }) => `\`${d.y}\` was not computed from \`${d.x}\`, so its gradient would be zero`,
    d => `give \`${d.x}\` a name with \`let\` and compute \`${d.y}\` from that name`,
  ),
} satisfies Record<string, Entry<never>>
