import { type Entry, error, warning } from './entry.ts'

/** LTM2xxx: types and shapes. */
export const types = {
  LTM2101: error(
    (d: { callee: string; problem: string }) => `\`${d.callee}\` cannot take this input: ${d.problem}`,
  ),
  LTM2102: error(
    (d: { what: string; expected: string; got: string }) =>
      `${d.what} wants ${d.expected}, and this is ${d.got}`,
  ),
  LTM2103: error(
    (d: { operator: string; problem: string }) => `\`${d.operator}\` does not fit here: ${d.problem}`,
  ),
  LTM2104: error(
    (d: { name: string }) => `nothing that a call gives would decide the size \`${d.name}\``,
    d =>
      `it stands only inside an expression; put an argument \`${d.name}: int\` in front of the tensor, or let it be an axis of its own`,
  ),
  LTM2105: error(
    (d: { callee: string }) => `\`${d.callee}\` needs a shape, and none is known here`,
    d => `say it: \`let x: f32[n, k] = ${d.callee}(…)\`, or \`${d.callee}(…, shape: [n, k])\``,
  ),
  LTM2106: error(
    (d: { got: string }) => `a size must be a whole number, and this is ${d.got}`,
    () => 'sizes are numbers, `int` arguments, hypers, constants with a capital, and sizes of other shapes',
  ),
  LTM2107: error(
    (d: { left: string; right: string }) => `${d.left} / ${d.right} is not a whole number`,
    () => 'use `div` for the floor, or `float(a) / b` for a fraction',
  ),
  LTM2108: error(
    (d: { got: string; wanted?: string }) => `this condition is ${d.got}, not ${d.wanted ?? 'one bool'}`,
    () =>
      'for a choice by element write `where(condition, a, b)`; `max(…)`, `any(…)` and `all(…)` make one value of many',
  ),
  LTM2109: error((d: { got: string; wanted: string }) => `this is ${d.got}, not ${d.wanted}`),
  LTM2110: error(
    (d: { index: string; length: string }) => `index ${d.index} is out of bounds: there are ${d.length}`,
  ),
  LTM2111: error(
    (d: { got: string; count: number }) =>
      `${d.count} ${d.count === 1 ? 'index' : 'indices'} for ${d.got}, which has fewer axes`,
    () => 'an index has at most one item for each axis; `_` adds an axis',
  ),
  LTM2112: error((d: { pattern: string; problem: string }) => `\`${d.pattern}\` does not fit: ${d.problem}`),
  LTM2113: error(
    (d: { condition: string }) => `whether \`${d.condition}\` holds cannot be known before the data is`,
    () => 'the last batch may be shorter than the others: write `batch.size` where you mean its examples',
  ),
  LTM2114: error(
    (d: { first: string; second: string }) =>
      `clocks of different units do not mix: ${d.first} and ${d.second}`,
    () =>
      'what is compared or added is counted by one clock; the quotient of two of its numbers is a plain number',
  ),
  LTM2115: error(
    (d: { name: string; expected: string; got: string }) =>
      `${d.name} is declared ${d.expected}, and its value is ${d.got}`,
  ),
  LTM2116: error(
    (d: { name: string }) =>
      `\`${d.name}\` in this shape is a constant in lower case, which would silently change the meaning of every \`[${d.name}]\``,
    d => `rename the constant to \`${d.name[0]?.toUpperCase()}${d.name.slice(1)}\``,
  ),
  LTM2117: error(
    (d: { what: string; name: string }) =>
      `${d.what} \`${d.name}\` would hide the size \`${d.name}\` of the signature`,
    () => 'give one of them another name',
  ),
  LTM2118: error(
    (d: { condition: string; values: string }) => `\`${d.condition}\` does not hold`,
    d => (d.values === '' ? undefined : `here ${d.values}`),
  ),
  LTM2119: error(
    (d: { type: string; near: string | undefined }) => `\`${d.type}\` is not a type`,
    d =>
      d.near === undefined
        ? 'types are `f32[…]`, `i32[…]`, `bool[…]`, `int`, `float`, `bool`, `string`, lists, records and `fn(…) -> …`'
        : `did you mean \`${d.near}\`?`,
  ),
  LTM2120: error(
    (d: { condition: string }) =>
      `the branches are of different types, and \`${d.condition}\` is not known when the program is compiled`,
    () => 'give both the same type, or ask what is known when the program is compiled',
  ),
  LTM2121: warning(
    (d: { loss: string; outer: string }) =>
      `\`${d.loss}\` takes logits, and these went through \`${d.outer}\` already`,
    d => `give it the value before \`${d.outer}\``,
  ),
  LTM2122: error((d: { got: string }) => `a gradient is that of one number, and this is ${d.got}`),
  LTM2123: error(
    (d: { y: string; x: string }) =>
      `\`${d.y}\` was not computed from \`${d.x}\`, so its gradient would be zero`,
    d => `give \`${d.x}\` a name with \`let\` and compute \`${d.y}\` from that name`,
  ),
  LTM2124: error(
    (d: { what: string; wanted: string; thing: 'function' | 'module'; problem: string }) =>
      `${d.what} is to be ${d.wanted}, and this ${d.thing} ${d.problem}`,
  ),
  LTM2125: error(
    (d: { dtype: string }) => `no engine computes with tensors of \`${d.dtype}\` yet`,
    () => 'write `f32`',
  ),
  LTM2126: error(
    (d: { what: string }) => `${d.what} may have any number of axes, so none of them can be named here`,
    () => 'compute with all of it, or reduce it whole: `sum(x)`, `mean(x)`',
  ),
  LTM2130: error(
    (d: { rounds: number; most: number }) =>
      `this loop has ${d.rounds} rounds, and at most ${d.most} can be unrolled`,
    () =>
      'a loop over a list or a range is written out when the program is compiled; work along an axis of a tensor instead',
  ),
  LTM2131: error((d: { text: string }) => `\`${d.text}\` is too large a number`),
  LTM2140: error(
    (d: { axis: string; type: string }) => `there is no axis ${d.axis} in ${d.type} to go along`,
    () => 'axes count from 0, and from the end with -1',
  ),
  LTM2141: error(
    (d: { first: string; firstLength: string; second: string; secondLength: string }) =>
      `these are not equally long: \`${d.first}\` has ${d.firstLength} rounds, \`${d.second}\` ${d.secondLength}`,
  ),
  LTM2142: error(
    (d: { problem: string }) => `these can't be gone along together: ${d.problem}`,
    () => '`zip` takes sequences made by `along(x, axis: …)`, all in one direction',
  ),
  LTM2143: error(
    (d: { name: string; before: string; after: string }) =>
      `\`${d.name}\` is ${d.before} before this loop and ${d.after} after a round of it`,
    d =>
      `what a loop over an axis carries keeps its type; write its type where it starts: \`var ${d.name}: TYPE = …\``,
  ),
  LTM2144: error(
    (d: { name: string; got: string }) => `this loop can't carry \`${d.name}\`, which is ${d.got}`,
    () => 'from round to round go tensors, numbers, and records and lists of these',
  ),
  LTM2145: error(
    (_: undefined) => 'this loop gives no value, for its rounds yield nothing',
    () => 'end its body with `yield VALUE`',
  ),
  LTM2146: error(
    (_: undefined) => 'a round yields once',
    () => 'yield a record for several values: `yield { h, c }`',
  ),
  LTM2147: error(
    (d: { axis: number; type: string }) =>
      `what the rounds yield is put together along axis ${d.axis}, and ${d.type} has no place for it`,
    () => 'yields go along the axis that the loop goes along; `rearrange` moves it',
  ),
  LTM2148: error(
    (d: { what: string }) => `${d.what} can't stand in a loop over an axis`,
    () => 'every round runs; choose by `where(condition, a, b)`',
  ),
  LTM2149: error(
    (_: undefined) => 'nobody takes what this loop yields',
    () => 'write `let NAME = for … { … }`, or leave the `yield` out',
  ),
  LTM2150: error(
    (d: { what: string }) => `${d.what} can't be set`,
    () =>
      'what is set is a `var`, a part of one, as in `set x[i] = …`, or a field of one, as in `set s.h = …`',
  ),
  LTM2151: error(
    (d: { problem: string }) => `this is no place that can be set: ${d.problem}`,
    () => 'set one position or stretch at a time, or choose by a mask: `set x = where(mask, new, x)`',
  ),
  LTM2152: error(
    (d: { rest: string }) =>
      `\`${d.rest}\` is the second rest of this shape, and where one ends and the other begins is not known`,
    () => 'a shape has one `...`; name the other axes',
  ),
  LTM2160: error(
    (d: { count: number; names: number }) =>
      `this loop has ${d.names} name${d.names === 1 ? '' : 's'}, and goes over ${d.count} thing${d.count === 1 ? '' : 's'}`,
    d =>
      d.count < d.names
        ? '`for a, b in zip(first, second)` goes over several together, each with its name'
        : 'each has a name of its own, as in `for a, b in zip(first, second)`',
  ),
} satisfies Record<string, Entry<never>>
