import { type Entry, error, listed, warning } from './entry.ts'

/** LTM438x: what stands around the steps. */
export const hooks = {
  LTM4380: error(
    (d: { name: string; reader: string }) => `${d.reader} runs before \`${d.name}\` has ever been logged`,
    () => 'values of a pass are there when it has ended: training, then validation, then tests',
  ),
  LTM4381: error(
    (d: { phase: string | undefined }) =>
      d.phase === undefined
        ? 'what was logged cannot be asked for here, nor whether it has stalled'
        : `what \`${d.phase}\` has logged cannot be read here`,
    d =>
      d.phase === undefined
        ? 'steps, hooks and the trainer ask it; hand the answer on as an argument'
        : `steps, hooks and the trainer read it by its full name: \`${d.phase}.loss\``,
  ),
  LTM4382: error(
    (d: { optimizer: string; setting: string; value: string }) =>
      `\`${d.optimizer}.${d.setting}\` is computed anew at each update, so a value that is set would be lost`,
    d =>
      `multiply it by a \`var\` of the \`train\`: \`var boost: float = 1.0\`, \`${d.setting}: boost * ${d.value}\`, and set that`,
  ),
  LTM4383: error(
    (d: { optimizer: string; setting: string }) =>
      `\`${d.optimizer}.${d.setting}\` is fixed when the program is compiled`,
    () => 'what can be set are its arguments that are floats',
  ),
  LTM4384: error(
    (d: { event: string; name: string; near: string | undefined; has: string }) =>
      `\`${d.event}\` does not hand over \`${d.name}\``,
    d => (d.near === undefined ? d.has : `did you mean \`${d.near}\`?`),
  ),
  LTM4386: error(
    (d: { name: string; near: string | undefined }) => `no parameter has the path \`${d.name}\``,
    d => (d.near === undefined ? undefined : `did you mean \`${d.near}\`?`),
  ),
  LTM4387: error(
    (d: { paths: readonly string[] }) =>
      `no optimizer has ${listed(d.paths)}, so unfreezing ${d.paths.length === 1 ? 'it' : 'them'} would move nothing`,
    () => 'give it to an optimizer: what is frozen costs nothing there, and moves once it is unfrozen',
  ),
  LTM4395: warning(
    (d: { most: number }) =>
      `more than ${d.most} parts are frozen and let go, each on its own: of this one the mode stays what it is at the start`,
    () =>
      'its parameters are frozen and let go as it says; parts that look at `training` had better be frozen together',
  ),
  LTM4388: error(
    (d: { source: string }) => `\`${d.source}\` is no file of weights`,
    () => 'a model starts from `safetensors("net.safetensors")`; `.bin` and `.pt` files have to be converted',
  ),
  LTM4389: error(
    (d: { model: string; part: string; near: string | undefined }) =>
      `no parameter or buffer of \`${d.model}\` begins with \`${d.part}\``,
    d =>
      d.near === undefined
        ? `names begin behind \`${d.model}.\`, as in \`"head."\``
        : `did you mean \`${d.near}\`?`,
  ),
} satisfies Record<string, Entry<never>>
