/** `ltm test-constraints`: what it tries of a user's constraints, what it finds, and how it tells. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'

const test = suite<{ folder: string }>('test-constraints')
const main = fileURLToPath(new URL('../dist/src/cli/main.js', import.meta.url))

test.before.each(context => {
  context.folder = mkdtempSync(join(tmpdir(), 'ltm-laws-'))
})
test.after.each(context => rmSync(context.folder, { recursive: true, force: true }))

function testConstraints(folder: string, text: string, ...args: readonly string[]) {
  writeFileSync(join(folder, 'a.ltm'), text)
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [main, 'test-constraints', 'a.ltm', ...args],
    { cwd: folder, encoding: 'utf8', env: { ...process.env, NO_COLOR: '1' } },
  )
  return { status, stdout, stderr }
}

/** What is said of a constraint's laws: `['value ok', 'inverse BROKEN', …]`. */
function said(stdout: string, head: string): readonly string[] {
  const block = stdout.split('\n\n').find(each => each.startsWith(head)) ?? ''
  return block
    .split('\n')
    .slice(1)
    .map(line => line.slice(0, 19).trim().replace(/ {2,}/, ': '))
}

const scaled = `/// On a logarithmic scale.
constraint scaled(low: float, unit: float = 1.0) bijective version 1 {
  raw: f32[...s]
  forward(u) = low + unit * exp(clamp(u, -12, 80))
  inverse(x) = log((x - low) / unit)
  log_det(u) = u + log(unit)
  check(x) = x >= low
}
`

test('a sound constraint is tried with the arguments of its uses, and its laws are told one by one', ({
  folder,
}) => {
  const text = `${scaled}
const HALF = 0.5
train T {
  hyper floor: float = 2
  param a: f32[784, 10] in scaled(floor, unit: HALF) = 3.0
  param b: f32 in scaled(-1.0) = 1.0
  optimizer o = Sgd([a, b], lr: 0.1)
  step train() { minimize sum(a) + b }
  trainer { updates: 1 }
}
`
  const { status, stdout, stderr } = testConstraints(folder, text)
  assert.is(stderr, '')
  assert.is(status, 0)
  const names = ['value', 'inverse', 'log_det', 'gradient', 'raw size', 'rows', 'fresh', 'once', 'backends']
  for (const head of [
    'scaled(floor, unit: HALF): f32[3] from raw f32[3], bijective\n',
    'scaled(-1.0): f32[3]',
  ])
    assert.equal(
      said(stdout, head),
      names.map(name => `${name}: ok`),
    )
  assert.match(stdout, /\n\n1 constraint, 18 laws hold\.\n$/)
})

test('arguments that nothing in the file gives are asked for, and taken from --set', ({ folder }) => {
  const asked = testConstraints(folder, scaled)
  assert.is(asked.status, 1)
  assert.match(
    asked.stderr,
    /error\[LTM4011\]: nothing says with which `low` `scaled` is to be tried\n.*a\.ltm:2:12/,
  )
  assert.match(asked.stderr, /help: .*`--set low=1`/)
  const misspelt = testConstraints(folder, scaled, '--set', 'lwo=0')
  assert.is(misspelt.status, 2)
  assert.match(
    misspelt.stderr,
    /no constraint of the file has an argument `lwo`\nTheir arguments: low, unit\./,
  )
  const given = testConstraints(folder, scaled, '--set', 'low=-3', '--seed', '5', '--backend', 'cpu')
  assert.is(given.status, 0)
  assert.match(given.stdout, /^scaled\(low: -3\): f32\[3\]/)
  assert.ok(said(given.stdout, 'scaled').includes('backends: –'), given.stdout)
})

const wrong = `constraint inverse_off() bijective version 1 {
  raw: f32[...s]
  forward(u) = exp(clamp(u, -12, 80))
  inverse(x) = log(x) + 1
  log_det(u) = u
}
constraint log_det_off() bijective version 1 {
  raw: f32[...s]
  forward(u) = 3 * u
  inverse(x) = x / 3
  log_det(u) = 0 * u + 3.0
}
constraint narrow() bijective version 1 {
  raw: f32[...s]
  forward(u) = sigmoid(u)
  inverse(x) = log(x) - log1p(-x)
  log_det(u) = -abs(u) - 2 * log1p(exp(-abs(u)))
  check(x) = x > 0.1 and x < 1
}
constraint square() bijective version 1 {
  raw: f32[...s]
  forward(u) = u ^ 2
  inverse(x) = sqrt(x)
  log_det(u) = log(2 * abs(u))
}
constraint large() version 1 {
  raw: f32[...s]
  forward(u) = exp(u) / (1 + exp(u))
  inverse(x) = log(x) - log1p(-x)
}
constraint crowded() bijective version 1 {
  raw: f32[...s, k]
  forward(u) -> f32[...s, k] = softmax(u, axis: -1)
  inverse(x) = log(x)
  log_det(u) = 0 * u
}
constraint steps() version 1 {
  raw: f32[n]
  forward(u) -> f32[n] = u + stop_gradient(sin(u))
}
`

test('each wrong constraint breaks its law, at the line and with the numbers that show it', ({ folder }) => {
  const { status, stdout, stderr } = testConstraints(folder, wrong)
  assert.is(status, 1)
  const shown = stderr.split('\n\n')
  const expected: Readonly<Record<string, RegExp>> = {
    'inverse_off inverse': /it carries the value 1 to raw 1, which gives 2\.71828\n.*a\.ltm:4:3/,
    'log_det_off log_det': /at raw 0 it adds up to 9, and .* determinant is 3\.29584\n.*a\.ltm:11:3/,
    'narrow value': /at raw -8 the value is 0\.00033535 on cpu, for which `check` is false\n.*a\.ltm:18:3/,
    'square inverse':
      /raw -0?\.?\S* gives the value \S+, which it carries to raw \S+; a `bijective` .*\n.*a\.ltm:23:3/,
    'square log_det': /at raw 0 it adds up to -Infinity\n.*a\.ltm:24:3/,
    'large value': /at raw 90 the value is NaN on cpu\n.*a\.ltm:28:3/,
    'crowded raw size': /this one's 3 move the value in 2 directions only\n.*a\.ltm:32:3/,
    'steps gradient':
      /at raw 0 its gradient by raw element 0 is 0?\.?\S*, and the slope of the map \S+\n.*a\.ltm:39:3/,
  }
  for (const [what, text] of Object.entries(expected)) {
    const [name = '', ...law] = what.split(' ')
    const found =
      shown.find(each => each.includes(`\`${name}\` breaks the law \`${law.join(' ')}\``)) ?? stderr
    assert.match(found, text)
    assert.ok(
      said(stdout, name).some(line => line === `${law.join(' ')}: BROKEN`),
      `${name}: ${law}`,
    )
  }
  assert.is(stderr.match(/^error\[LTM4010\]/gm)?.length, Object.keys(expected).length, stderr)
})

test('a file without constraints, and one with errors, say so', ({ folder }) => {
  const none = testConstraints(folder, 'const A = 1\n')
  assert.equal(none, { status: 1, stdout: '', stderr: 'error: `a.ltm` declares no constraint to test\n' })
  const broken = testConstraints(folder, 'constraint c() version 1 { raw: f32[...s]  forward(u) = v }\n')
  assert.is(broken.status, 1)
  assert.match(broken.stderr, /error\[LTM3001\]/)
})

test('the laws are about a constraint with buffers as it is in evaluation', ({ folder }) => {
  const text = `constraint tempered() version 1 {
  buffer scale: f32 = 2
  forward(u) -> f32[...s] {
    if training { set scale = 1 + sum(u ^ 2) }
    return u / scale
  }
  inverse(x) = x
}
`
  const wrong = testConstraints(folder, text)
  const sound = testConstraints(folder, text.replace('inverse(x) = x\n', ''))
  assert.is(wrong.status, 1)
  assert.ok(said(wrong.stdout, 'tempered').includes('inverse: BROKEN'), wrong.stdout)
  assert.is(sound.status, 0, sound.stderr)
  assert.equal(said(sound.stdout, 'tempered'), [
    'value: ok',
    'inverse: –',
    'log_det: –',
    'gradient: ok',
    'raw size: –',
    'rows: –',
    'fresh: ok',
    'once: ok',
    'backends: ok',
  ])
})

test('a constraint that fits no small shape says why', ({ folder }) => {
  const text = `constraint wide() version 1 {
  raw: f32[k]
  forward(u) -> f32[k] where k > 100 = u
}
`
  const { status, stderr } = testConstraints(folder, text)
  assert.is(status, 1)
  assert.match(stderr, /error\[LTM4012\]: `wide` can't be tried\n.*a\.ltm:1:12/)
})

test.run()
