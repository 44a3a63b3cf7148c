/**
 * A path that one file says, as another file would say it: `digits.csv` of `data/digits.ltm` is `data/digits.csv` to the
 * file beside the folder. Absolute paths, and those that start from the home folder, stay as they are.
 */
export function pathFrom(file: string, sayer: string, path: string): string {
  if (file === sayer || /^([/\\]|~[/\\]|[A-Za-z]:)/.test(path)) return path
  const from = folderOf(file)
  const to = folderOf(sayer)
  let shared = 0
  while (shared < from.length && shared < to.length && from[shared] === to[shared]) shared++
  const parts = [...from.slice(shared).map(() => '..'), ...to.slice(shared), ...path.split(/[/\\]/)]
  return normal(parts).join('/')
}

function folderOf(file: string): readonly string[] {
  return normal(file.split(/[/\\]/).slice(0, -1))
}

/** Without `.`, and without names that `..` leaves again. */
function normal(parts: readonly string[]): readonly string[] {
  const kept: string[] = []
  for (const part of parts) {
    const last = kept.at(-1)
    if (part === '..' && last !== undefined && last !== '..' && last !== '') kept.pop()
    else if (part !== '.' && !(part === '' && kept.length > 0)) kept.push(part)
  }
  return kept
}
