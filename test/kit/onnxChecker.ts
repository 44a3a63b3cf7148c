import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Whether Python is at hand and has the package onnx; nothing but the test of its checker needs them. */
export function hasChecker(): boolean {
  return spawnSync('python3', ['-c', 'import onnx']).status === 0
}

const script = `
import pathlib, sys, onnx
checked = 0
for path in sorted(pathlib.Path(sys.argv[1]).iterdir()):
    try:
        onnx.checker.check_model(onnx.load(path), full_check=True)
        checked += 1
    except Exception as problem:
        print(path.name, str(problem).strip().splitlines()[0])
print(checked)
`

/** How many of the models the checker of ONNX accepts, by title, and what it says of the others. */
export function checkModels(models: ReadonlyMap<string, Uint8Array>): {
  readonly accepted: number
  readonly complaints: readonly string[]
} {
  const folder = mkdtempSync(join(tmpdir(), 'ltm-onnx-'))
  try {
    for (const [title, bytes] of models)
      writeFileSync(join(folder, `${title.replace(/\W+/g, '_')}.onnx`), bytes)
    const { stdout, stderr, status } = spawnSync('python3', ['-c', script, folder], { encoding: 'utf8' })
    if (status !== 0) throw new Error(stderr)
    const lines = stdout.trimEnd().split('\n')
    return { accepted: Number(lines.at(-1)), complaints: lines.slice(0, -1) }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
