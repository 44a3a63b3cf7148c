import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Bug } from '../src/base/bug.ts'
import { parseProgram } from '../src/ir/parse.ts'
import { printProgram } from '../src/ir/print.ts'
import { runPasses } from '../src/passes/pass.ts'
import { eagerPipeline, passes } from '../src/passes/pipelines.ts'
import { verify } from '../src/passes/verify.ts'
import { areaNames, expectFile, forEachCase, orphans } from './kit/cases.ts'

const test = suite('passes')

for (const name of areaNames('passes'))
  forEachCase(`passes/${name}`, ({ name: what, read, path }) => {
    const pipeline = name === 'eager-pipeline' ? eagerPipeline : [passes[name]!]

    test(`${name}: ${what}`, () => {
      const input = parseProgram(read('input.ir'))
      verify(input)
      expectFile(path('expected.ir'), printProgram(runPasses(input, pipeline)))
    })

    test(`${name}: ${what} is done in one go`, () => {
      const once = parseProgram(read('expected.ir'))
      assert.is(printProgram(runPasses(once, pipeline)), printProgram(once))
    })
  })

test('every pass has a case', () => {
  assert.equal(areaNames('passes'), [...Object.keys(passes), 'eager-pipeline'].sort())
})

test('no expectation is left over', () => orphans('passes'))

test('each pass is verified, shown, and named where it breaks a program', () => {
  const program = parseProgram(sound)
  const seen: string[] = []
  runPasses(program, eagerPipeline, { observe: name => seen.push(name) })
  assert.equal(
    seen,
    eagerPipeline.map(pass => pass.name),
  )
  const careless = { name: 'careless', promise: 'None.', run: () => ({ ...program, functions: [] }) }
  assert.throws(
    () => runPasses(program, [careless]),
    /^After careless, the program Sound, .*there is no function/,
  )
})

test('a loss through a parameter that has moved since is refused, not computed anew', () => {
  const stale = sound.replace('log y = %y', 'minimize again = %y with sgd')
  verify(parseProgram(stale))
  assert.throws(
    () => runPasses(parseProgram(stale), [passes['form-regions']!]),
    (e: unknown) => e instanceof Bug,
  )
})

const sound = `program Sound from "sound.ltm"
hyper lr: float = 1
var boost: float = 1
data rows = Rows by Rows.fields batch 8 {
  synthetic 100
  field x: f32[2]
}
parameter w: f32[2] in "positive" = positive version 1 forward positive check positive.check init zeros
parameter v: f32[3] init v.init frozen
optimizer sgd = Sgd(lr) {
  slot m = 0
  group by Sgd.update(lr) {
    w
  }
}
metric m = M compute M.compute {
  state s: f32[] = 0 merge sum
}
func Rows.fields() -> (x = %x) fields {
  %x: f32[2] = full dtype="f32" shape=[2] value=0
}
func zeros() -> (%z) init {
  %z: f32[2] = full dtype="f32" shape=[2] value=0
}
func v.init(%key: key) -> (%z) init {
  %z: f32[3] = full dtype="f32" shape=[3] value=0
}
func positive(%u: f32[...s]) -> (%y) forward {
  %y: f32[...s] = exp %u
}
func positive.check(%u: f32[...s]) -> (%y) check {
  %y: f32[...s] = exp %u
}
func Sgd.update(%m: f32[...p], %param: f32[...p], %grad: f32[...p]; t, lr) -> (%m, %new) update {
  %lr: f32[] = host {lr}
  %by: f32[...p] = mul %grad, %lr
  %new: f32[...p] = sub %param, %by
}
func M.compute(%s: f32[]) -> (%s) compute {
}
func M.update(%s: f32[], %y: f32[n, 2]) -> (%new) update {
  %sum: f32[] = sum %y
  %new: f32[] = add %s, %sum
}
step train(
  batch from rows split train size n (x = %x: f32[n, 2]),
) {
  %raw: f32[2] = read w
  %w: f32[2] = call positive(%raw)
  %y: f32[n, 2] = mul %x, %w
  minimize loss = %y with sgd
  log y = %y
  log m in m by M.update(%y)
  if boost > 1 {
    %inside: f32[n, 2] = exp %x
    log inside = %inside
  }
}
trainer { seed 1 accumulate 1 nonfinite stop }
`

/** What is changed in the sound program, into what, and what the complaint must speak of. */
const broken: readonly (readonly [string, string, RegExp])[] = [
  ['%sum: f32[] = sum %y', '%y: f32[] = sum %y', /function M\.update, %y = sum: %y is defined twice/],
  ['%inside: f32[n, 2] =', '%raw: f32[n, 2] =', /step train, %raw = exp: %raw is defined twice/],
  ['mul %grad, %lr', 'mul %new, %lr', /function Sgd\.update, %by = mul: %new is read before it is defined/],
  [
    'log y = %y',
    'log y = %inside',
    /step train, log y: %inside is read before it is defined, or out of its scope/,
  ],
  ['exp %u', 'expo %u', /there is no operator expo/],
  ['%y: f32[n, 2] = mul', '%y: f32[2, n] = mul', /%y is f32\[2, n\] where f32\[n, 2\] is inferred/],
  ['%y: f32[n, 2] = mul', '%y: i32[n, 2] = mul', /%y is i32\[n, 2\] where f32\[n, 2\] is inferred/],
  ['sum %y', 'sum %y axes=[0]', /no argument `axes`/],
  ['sum %y', 'sum %y, %y', /takes 1 tensor/],
  ['%sum: f32[] = sum', '%sum: f32[], %b: f32[] = sum', /gives 1 values, not 2/],
  ['call positive(%raw)', 'call negative(%raw)', /there is no function negative/],
  ['call positive(%raw)', 'call positive(%raw, %raw)', /positive takes 1 tensors, not 2/],
  ['call positive(%raw)', 'call positive(%raw; boost)', /positive takes 0 numbers of the host, not 1/],
  ['call positive(%raw)', 'call M.compute(%raw)', /%s of M\.compute is f32\[\], the argument f32\[2\]/],
  ['  %y: f32[...s] = exp %u', '  %y: f32[...s] = call positive(%u)', /positive calls positive/],
  ['exp %u', 'read w', /a function reads no parameters/],
  ['read w', 'read x', /there is no parameter x/],
  [
    '    %inside: f32[n, 2] = exp %x',
    '    %again: f32[2] = read w\n    %more: f32[2] = read w\n    %inside: f32[n, 2] = exp %x',
    /step train: w is read twice, and so is its constraint, though nothing has moved it/,
  ],
  [
    '  %y: f32[n, 2] = mul',
    '  %again: f32[2] = read w\n  %y: f32[n, 2] = mul',
    /step train: w is read twice, and so is its constraint, though nothing has moved it/,
  ],
  [
    '-> (%new) update {\n  %sum',
    '-> (%old) update {\n  %sum',
    /function M\.update, its results: %old is read/,
  ],
  ['(%s: f32[]) -> (%s) compute', '(%s: f32[k]) -> (%s) compute', /metric m: %s of M\.compute is f32\[k\]/],
  ['size n (x', 'size k (x', /nothing here has the size n/],
  ['split train size', 'split val size', /rows has no split val/],
  ['(x = %x: f32[n, 2])', '(z = %x: f32[n, 2])', /rows has no field z/],
  ['from rows', 'from lines', /there is no data lines/],
  ['host {lr}', 'host {argument rate}', /there is no host parameter rate/],
  ['host {lr}', 'host {size(k)}', /nothing here has the size k/],
  ['host {lr}', 'host {update of adam}', /there is no optimizer adam/],
  ['host {lr}', 'host {min(lr)}', /the host's `min` has 1 arguments/],
  ['boost > 1', 'item(%y) > 1', /step train, if: item\(%y\) wants one element, it is f32\[n, 2\]/],
  ['with sgd', 'with adam', /there is no optimizer adam/],
  ['with sgd', 'with sgd exports %x', /exports %x, which is not its own/],
  ['in m by', 'in n by', /there is no metric n/],
  ['parameter v: f32[3]', 'parameter w: f32[3]', /two of the parameter w/],
  ['parameter v: f32[3]', 'parameter v: f32[4]', /v\.init gives \(f32\[3\]\), not \(f32\[4\]\)/],
  ['parameter v: f32[3]', 'parameter v: f32[3] raw f32[2]', /v\.init gives/],
  ['init v.init', 'init positive', /positive takes more than a key/],
  ['    w\n', '    w\n    w\n', /w belongs to sgd and to sgd/],
  ['    w\n', '    u\n', /there is no parameter u/],
  ['Sgd.update(lr)', 'Sgd.update(lr, lr)', /2 of 1 settings/],
  ['  slot m = 0\n', '', /Sgd\.update takes 3 tensors, not 2/],
  ['-> (%m, %new)', '-> (%new)', /Sgd\.update gives/],
  ['hyper lr: float = 1', 'hyper lr: float = 1 hyper lr: float = 2', /two of the hyper lr/],
  ['func zeros()', 'func v.init()', /two of the function v\.init/],
]

test('the sound program is sound', () => verify(parseProgram(sound)))

test('after an update a constrained parameter is read anew', () =>
  verify(parseProgram(sound.replace('  log y = %y', '  %moved: f32[2] = read w\n  log y = %y'))))

for (const [before, after, complaint] of broken)
  test(`verify: ${after.trim()}`, () => {
    const text = sound.replace(before, after)
    assert.is.not(text, sound)
    assert.throws(
      () => verify(parseProgram(text), 'a-pass'),
      (error: unknown) =>
        error instanceof Bug && error.message.startsWith('After a-pass, ') && complaint.test(error.message),
    )
  })

test.run()
