/** Whole programs at random, valid by construction: what is written knows the shape of all that it uses. */
import { Chance } from './chance.ts'
import { Declarations } from './declarations.ts'
import { declareTraining } from './training.ts'

/** The program of a seed. Its bodies have about `size` statements, and small sizes make small programs. */
export function randomProgram(seed: number, size = 6): string {
  const program = new Declarations(size)
  declareTraining(program, new Chance(seed))
  return `${program.texts.join('\n\n')}\n`
}
