import { formGraphs } from '../src/compiler.ts'
import { opNames } from '../src/ops/index.ts'
import { checkSeed } from '../test/kit/programs/checks.ts'
import { compiled } from '../test/kit/programs/compiling.ts'
import { randomProgram } from '../test/kit/programs/program.ts'

/**
 * Random programs by the thousand: `npm run bench random [compiles] [COUNT] [FIRST] [SIZE]`. Each has to compile and, without
 * `compiles`, to come to the same on both engines, interrupted or not; a failure is printed as a small program. At the end
 * stand the operators that none of them had.
 */
export async function bench(asked: readonly string[]): Promise<void> {
  const checks = asked.includes('compiles') ? (['compiles'] as const) : (['compiles', 'runs'] as const)
  const [count = 1000, first = 1, size = 6] = asked.filter(each => /^\d+$/.test(each)).map(Number)
  const failed: number[] = []
  const used = new Set<string>()
  for (let seed = first; seed < first + count; seed++) {
    const found = await checkSeed(seed, size, checks)
    if (found === undefined) note(seed, size, used)
    else {
      failed.push(seed)
      console.log(`seed ${seed}: ${found.problem}\n\n${found.program}\n`)
    }
    if ((seed - first + 1) % 100 === 0) console.log(`${seed - first + 1} programs, ${failed.length} failed`)
  }
  console.log(
    `${count} programs of size ${size} from seed ${first}: ${failed.length} failed (${failed.join(', ') || 'none'}).`,
  )
  const missing = opNames.filter(name => !used.has(name))
  console.log(`Operators that none of them had: ${missing.join(', ') || 'none'}.`)
}

/** Which operators a program is made of, gradients included. */
function note(seed: number, size: number, used: Set<string>): void {
  for (const { steps } of formGraphs(compiled(randomProgram(seed, size))).functions)
    for (const { op } of steps) used.add(op)
}
