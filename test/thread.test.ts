import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { built, ltm, node } from './kit/process.ts'

/** The thread that trains, and what the main one does meanwhile. */
const thread = suite<{ folder: string }>('thread')

thread.before.each(context => {
  context.folder = mkdtempSync(join(tmpdir(), 'ltm-thread-'))
})
thread.after.each(({ folder }) => rmSync(folder, { recursive: true, force: true }))

/** A program that calls a function after each of its 4 batches an epoch; `body` is what the function does with `x`. */
function programWith(folder: string, body: string): string {
  writeFileSync(
    join(folder, 'own.ts'),
    `import { existsSync } from 'node:fs'
export function own(x: number): number {
  ${body}
  return x
}
`,
  )
  writeFileSync(
    join(folder, 'a.ltm'),
    `import { own } from "./own.ts"

dataset Points from synthetic(16) {
  field x: f32[1] = f32(index)[.., _] / 16
}

train A {
  data points = Points(batch: 4)
  model net = Linear(1, 1)
  optimizer sgd = Sgd(net, lr: 0.1)
  step train(batch) {
    minimize net(batch.x) ^ 2
    call own(batch_index)
  }
  trainer { epochs: 2 }
}
`,
  )
  return join(folder, 'runs', 'A', 'v1')
}

/** Waits as a kernel does, which nothing reaches: for a file, or for so long that a test that fails ends. */
const waiting = (file: string) =>
  `const end = Date.now() + 60_000; while (!existsSync(${JSON.stringify(file)}) && Date.now() < end) {}`

thread('what functions write stands between what is told of the run', async ({ folder }) => {
  programWith(folder, 'console.log("batch", x)')
  const { code, out } = await ltm(['run', 'a.ltm'], folder)
  assert.is(code, 0)
  const lines = out.split('\n').filter(line => /^(batch|epoch)/.test(line))
  const batches = ['batch 0', 'batch 1', 'batch 2', 'batch 3']
  assert.equal(
    lines.map(line => line.split(/\/| · /)[0]),
    [...batches, 'epoch 1', ...batches, 'epoch 2'],
  )
})

thread('an interrupt is answered while a step runs, which then ends and is saved', async ({ folder }) => {
  const file = join(folder, 'go')
  const run = programWith(folder, waiting(file))
  let answered = false
  const { code, events } = await ltm(['run', 'a.ltm', '--json'], folder, (event, child) => {
    if (event.kind !== 'phase_start') return
    child.stderr?.on('data', (text: string) => {
      if (!text.includes('Interrupted: finishing this batch')) return
      answered = !existsSync(file)
      writeFileSync(file, '')
    })
    child.kill('SIGINT')
  })
  assert.equal([code, answered, events.at(-1)?.kind], [130, true, 'run_end'])
  assert.equal(readdirSync(join(run, 'checkpoints')), ['latest'])
  assert.not.ok(existsSync(join(run, 'lock')))
})

thread(
  'a second interrupt ends the process in the middle of a step, and the run is free',
  async ({ folder }) => {
    const run = programWith(folder, waiting(join(folder, 'never')))
    let signal: string | null = null
    const { code } = await ltm(['run', 'a.ltm', '--json'], folder, (event, child) => {
      if (event.kind !== 'phase_start') return
      child.stderr?.on('data', () => child.kill('SIGINT'))
      child.on('exit', (_, by) => {
        signal = by
      })
      child.kill('SIGTERM')
    })
    assert.equal([code, signal], [null, 'SIGINT'])
    assert.not.ok(existsSync(join(run, 'lock')))
  },
)

thread('a function that ends the process is told of, and leaves no lock', async ({ folder }) => {
  const run = programWith(folder, 'if (x === 2) process.exit(0)')
  const { code, err, events } = await ltm(['run', 'a.ltm', '--json'], folder)
  assert.is(code, 1)
  assert.ok(
    err.startsWith('error[LTM6110]: a function that the program calls ended it by `process.exit(0)`'),
    err,
  )
  const last = events.at(-1)
  assert.equal([last?.kind, last?.kind === 'run_error' && last.code], ['run_error', 'LTM6110'])
  assert.not.ok(existsSync(join(run, 'lock')))
})

thread('a full heap is told of, and leaves no lock', async ({ folder }) => {
  const run = programWith(
    folder,
    'const all: object[] = []; for (;;) all.push({ x: [x], text: String(all.length) })',
  )
  const { code, err } = await node(['--max-old-space-size=150', built, 'run', 'a.ltm'], folder)
  assert.is(code, 3, err)
  assert.match(err, /^error\[LTM6109\]: memory is exhausted[^\n]*\n {2}= help: [^\n]*max-old-space-size/m)
  assert.not.match(err, /\n\s+at /)
  assert.not.ok(existsSync(join(run, 'lock')))
})

thread.run()
