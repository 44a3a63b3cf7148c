import { type Entry, error, warning } from './entry.ts'

const suggestion = (d: { readonly near: string | undefined }): string | undefined =>
  d.near === undefined ? undefined : `did you mean \`${d.near}\`?`

/** LTM3xxx: names, declarations and arguments. */
export const names = {
  LTM3001: error(
    (d: { name: string; near: string | undefined }) => `there is no \`${d.name}\` here`,
    suggestion,
  ),
  LTM3002: error(
    (d: { name: string; what: string }) => `\`${d.name}\` is declared twice in this ${d.what}`,
    () => 'give one of them another name, or take it out',
  ),
  LTM3003: error(
    (d: { object: string; name: string; near: string | undefined; has: string }) =>
      `${d.object} has no \`${d.name}\``,
    d => (d.near === undefined ? d.has || undefined : `did you mean \`${d.near}\`?`),
  ),
  LTM3004: error(
    (d: { callee: string; name: string; near: string | undefined; signature?: string }) =>
      `\`${d.callee}\` has no argument \`${d.name}\``,
    d => suggestion(d) ?? d.signature,
  ),
  LTM3005: error(
    (d: { callee: string; count: number; signature: string }) =>
      `\`${d.callee}\` takes ${d.count === 0 ? 'no arguments' : d.count === 1 ? 'one argument' : `${d.count} arguments`}, and this is one too many`,
    d => d.signature,
  ),
  LTM3006: error(
    (d: { callee: string; name: string; signature: string }) => `\`${d.callee}\` needs \`${d.name}\``,
    d => d.signature,
  ),
  LTM3007: error((d: { callee: string; name: string }) => `\`${d.name}\` is given twice to \`${d.callee}\``),
  LTM3008: error(
    (d: { callee: string; got: string }) => `${d.callee} is ${d.got}, which cannot be called`,
    () =>
      'functions, modules and constraints are called; a part is taken by `x[i]`, and a product is written `x * y`',
  ),
  LTM3009: error(
    (d: { name: string }) => `\`${d.name}\` is no \`var\`, so it cannot be set`,
    d => `declare it with \`var ${d.name} = …\` where it has to change`,
  ),
  LTM3010: error(
    (d: { name: string }) => `\`${d.name}\` would hide another \`${d.name}\` of this \`train\``,
    () => 'give one of them another name',
  ),
  LTM3011: error((d: { cycle: string }) => `${d.cycle} refers to itself`),
  LTM3012: error(
    (d: { name: string }) => `\`${d.name}\` is a function, and a value is wanted here`,
    d => `call it: \`${d.name}(…)\``,
  ),
  LTM3013: error(
    (d: { name: string; condition: string }) =>
      `\`${d.name}\` exists only under \`if ${d.condition}\`, which is not known to hold here`,
    d => `use it under the same condition: \`if ${d.condition} then … else …\``,
  ),
  LTM3014: error(
    (_: { name: string }) => `this module has no \`forward\`, so it cannot be called`,
    d => `declare \`forward(…) { … }\` in \`module ${d.name}\``,
  ),
  LTM3015: error(
    (d: { what: string; member: string }) => `this ${d.what} has no \`${d.member}\``,
    d => `declare \`${d.member}(…)\` in it`,
  ),
  LTM3016: warning(
    (d: { what: string; name: string }) => `${d.what} \`${d.name}\` is never used`,
    d => `take it out, or call it \`_${d.name}\` where its place is wanted`,
  ),
  LTM3017: error(
    (_: undefined) => 'this body may end without a `return`',
    () => 'every way through it must return a value',
  ),
  LTM3018: error(
    (d: { path: string }) => `there is no file \`${d.path}\``,
    () => 'paths are relative to the file that says them',
  ),
  LTM3025: error(
    (d: { file: string }) => `\`${d.file}\` is nothing that can be imported`,
    () =>
      'imports are declarations of `.ltm` files, and functions of `.ts`, `.js` and `.mjs` files for `call`',
  ),
  LTM3026: error(
    (d: { name: string; file: string }) =>
      `\`${d.name}\` is a function of ${d.file}, which gives no value here`,
    d => `it is run by a statement of a step or hook: \`call ${d.name}(…)\``,
  ),
  LTM3027: error(
    (d: { got: string }) => `\`call\` runs functions of TypeScript, and this is ${d.got}`,
    () => 'import one: `import { post } from "./notify.ts"`',
  ),
  LTM3028: error(
    (d: { callee: string }) => `\`${d.callee}\` takes its arguments in their order, without names`,
    () => 'nothing is known of the parameters of a TypeScript function',
  ),
  LTM3029: error(
    (d: { argument: string; read: string; module: string }) =>
      `the \`${d.argument}\` of this \`${d.module}\` reads \`${d.read}\`, which only the place around it has`,
    d => `hand over what \`${d.read}\` is when \`${d.argument}\` is called, as one more of its arguments`,
  ),
  LTM3019: error(
    (d: { what: string; limit: string }) => `${d.what} does not end: it goes ${d.limit}`,
    () =>
      'what is compiled is written out: recursion and loops must come to an end while the program is compiled',
  ),
} satisfies Record<string, Entry<never>>
