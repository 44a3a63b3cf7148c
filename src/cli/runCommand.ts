/** The command that trains a program with these values of its hypers, as one types it. */
export function runCommand(
  file: string,
  train: string | undefined,
  hypers: Iterable<readonly [name: string, value: string]>,
): string {
  const flags = [...hypers].flatMap(([name, value]) => [`--${name}`, value])
  const chosen = train === undefined ? [] : ['--train', train]
  return ['ltm', 'run', file, ...chosen, ...flags].map(quoted).join(' ')
}

/** In the quotes of a shell where it needs them. */
function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
}
