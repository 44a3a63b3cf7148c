/**
 * Kills a run with every kind of state at random moments and lets it go on from its newest checkpoint, until it ends as the
 * run that was left alone: `node --import tsx bench/kill.ts [eager | compiled] [KILLS] [FOLDER | full]`, after `npm run build`. The
 * folder may lie on another file system, such as /dev/shm; `full` mounts a small one, which takes root, and fills it up in place
 * of every other kill.
 */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { argv } from 'node:process'
import { killAgainAndAgain, line } from '../test/kit/killing.ts'

const [, , engine = 'compiled', kills = '200', place] = argv
if (engine !== 'eager' && engine !== 'compiled') throw new Error(`there is no engine \`${engine}\``)
const folder = mkdtempSync(join(tmpdir(), 'ltm-kill-'))
const small = join(folder, 'small')
const elsewhere = place === undefined || place === 'full' ? undefined : mkdtempSync(join(place, 'ltm-kill-'))
if (place === 'full') {
  mkdirSync(small)
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', small])
}
try {
  const counts = await killAgainAndAgain({
    ...{ engine, folder, kills: Number(kills), epochs: 8, seed: 20_261, tell: console.log },
    ...(place === 'full' ? { runs: small, fill: true } : elsewhere && { runs: elsewhere }),
  })
  console.log(line(counts))
  for (const wrong of counts.wrong) console.log(wrong)
  process.exitCode = counts.wrong.length === 0 ? 0 : 1
} finally {
  if (place === 'full') execFileSync('umount', [small])
  for (const each of [folder, elsewhere]) if (each) rmSync(each, { recursive: true, force: true })
}
