/** Ends in one of several ways while ONNX Runtime's threads are at work: `leaving.mjs HOW`. A thread has no loader for TypeScript, hence what was built. */
import { once } from 'node:events'
import { argv } from 'node:process'
import { fileURLToPath } from 'node:url'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { lowerToOnnx } from '../../dist/src/emit/onnx/graph.js'
import { Scanner } from '../../dist/src/ir/parse/scanner.js'
import { parseFunc } from '../../dist/src/ir/parse/tensor.js'
import { Ort } from '../../dist/src/runtime/engine/ort.js'

/** A product that takes all processors, computed once and then at each call. */
function computing() {
  const none = new Set()
  const text = `func square(%a: f32[300, 300]) -> (%product) graph {
  %product: f32[300, 300] = matmul %a, %a
}`
  const func = parseFunc(new Scanner(text), { args: none, vars: none, hypers: none })
  if (func === undefined) throw new Error('no function')
  const ort = Ort.load()
  const session = ort.session(lowerToOnnx(func, { provider: 'cpu' }))
  const a = ort.feed({ dtype: 'f32', shape: [300, 300] }, new Float32Array(90_000).fill(0.5))
  const run = () => void session.run([a])
  run()
  return run
}

async function inThread(how) {
  const thread = new Worker(fileURLToPath(import.meta.url), { workerData: how })
  await once(thread, 'message')
  return thread
}

if (!isMainThread) {
  const run = computing()
  parentPort?.postMessage('computing')
  if (workerData === 'has a thread that exits') process.exit(0)
  for (;;) {
    run()
    await new Promise(resolve => setImmediate(resolve))
  }
} else if (argv[2] === 'falls off its end') {
  computing()
} else if (argv[2] === 'exits') {
  computing()
  process.exit(0)
} else {
  const thread = await inThread(argv[2] ?? '')
  if (argv[2] === 'terminates a thread that computes') await thread.terminate()
}
