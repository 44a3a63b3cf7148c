import { type Entry, error, listed, warning } from './entry.ts'

/** LTM4xxx: what a training means: parameters, data, steps, losses, monitors. */
export const training = {
  LTM4001: error(
    (d: { name: string }) => `\`${d.name}\` has no start value`,
    () =>
      'give one: `= zeros()`, `= normal(0, 0.1)`; only a constrained parameter may start without, at raw 0',
  ),
  LTM4002: error(
    (d: { name: string; value: string; constraint: string }) =>
      `the start value ${d.value} of \`${d.name}\` is outside of \`${d.constraint}\``,
    () => 'start inside, or give the raw tensor its value: `= raw 0.0`',
  ),
  LTM4003: error(
    (d: { constraint: string }) =>
      `\`${d.constraint}\` has no \`inverse\`, so a start value cannot be carried back`,
    () => 'give the raw one: `= raw 0.0`',
  ),
  LTM4004: error(
    (d: { constraint: string; count: number }) =>
      `\`${d.constraint}\` takes one tensor, and there are ${d.count} arguments`,
    d => `write \`${d.constraint}(x)\` or \`x |> ${d.constraint}\``,
  ),
  LTM4005: error(
    (d: { got: string }) => `\`log_det_jacobian\` is about a parameter, and \`${d.got}\` is none`,
    () =>
      'give it the parameter by its name, where it is declared or by its path: `log_det_jacobian(net.scale)`',
  ),
  LTM4006: error(
    (d: { name: string; constraint: string }) =>
      `\`${d.constraint}\` has no \`log_det\`, so \`${d.name}\` has no density in its raw tensor`,
    () =>
      'a density needs a bijective constraint with a `log_det`, as `positive`, `simplex` or `corr_matrix` have it',
  ),
  LTM4007: warning(
    (d: { parameter: string; constraint: string }) =>
      `\`${d.parameter}\` is in \`${d.constraint}\`, and its logarithm is \`-inf\` where it rounds to 0`,
    d => `write \`${d.parameter}.log\`, which is computed from the raw tensor and stays finite`,
  ),
  LTM4008: error(
    (d: { name: string }) => `\`${d.name}\` is constrained and projected, and can be only one of them`,
    () =>
      '`in` computes the value from a raw tensor, inside what is differentiated; `project` moves the value back after each update',
  ),
  LTM4009: error(
    (d: { name: string; constraint: string }) =>
      `\`${d.constraint}\` is no projection: it maps a raw tensor to a value, and \`${d.name}\` has no raw tensor`,
    d => `write \`in ${d.constraint}\`, in front of the start value`,
  ),
  LTM4013: error(
    (d: { constraint: string; buffer: string }) =>
      `\`${d.constraint}\` keeps \`${d.buffer}\` from step to step, and here is no parameter to keep it for`,
    d => `declare a parameter with it: \`param weight: f32[…] in ${d.constraint} = …\``,
  ),
  LTM4014: error(
    (d: { role: string; buffer: string }) =>
      `\`${d.role}\` reads \`${d.buffer}\`, and it is asked about values before any step has run`,
    d => `compute what \`${d.role}\` gives from its argument alone; \`forward\` may read \`${d.buffer}\``,
  ),
  LTM4101: error(
    (d: { names: readonly string[] }) =>
      d.names.length === 0
        ? 'there is no optimizer to minimise with'
        : `there are ${d.names.length} optimizers; say which one minimises`,
    d =>
      d.names.length === 0
        ? 'declare one: `optimizer adam = Adam(net, lr: 1e-3)`'
        : `write ${d.names.map(name => `\`minimize … with ${name}\``).join(' or ')}`,
  ),
  LTM4102: error(
    (d: { loss: string; optimizer: string; standing: readonly string[] }) =>
      d.standing.length === 0
        ? `\`${d.loss}\` depends on no parameter of \`${d.optimizer}\`, so it would never move`
        : `all that \`${d.loss}\` depends on of \`${d.optimizer}\` is frozen, so it would never move: ${listed([...new Set(d.standing)])}`,
    d =>
      d.standing.length === 0
        ? `compute it with what \`${d.optimizer}\` was given, with no \`stop_gradient\` in between`
        : 'take the `frozen` or the `freeze` away, or `unfreeze` it in a hook',
  ),
  LTM4103: error(
    (d: { value: string; optimizer: string }) =>
      `\`${d.value}\` was computed from parameters that \`${d.optimizer}\` has since moved`,
    d =>
      `compute \`${d.value}\` again after that line, or write \`stop_gradient(${d.value})\` if no gradient should flow`,
  ),
  LTM4104: error(
    (d: { path: string; first: string; second: string }) =>
      `\`${d.path}\` is given to \`${d.first}\` and to \`${d.second}\``,
    () => 'a parameter has one optimizer',
  ),
  LTM4105: warning(
    (d: { paths: readonly string[] }) =>
      `no optimizer has ${listed(d.paths)}, so ${d.paths.length === 1 ? 'it' : 'they'} will never move`,
    () => 'give it to one, or declare it `frozen`',
  ),
  LTM4106: error(
    (d: { phase: string; name: string }) => `two values are logged as \`${d.phase}.${d.name}\``,
    () => 'give one of them a name: `log other = …`',
  ),
  LTM4107: error(
    (d: { monitor: string; near: string | undefined; known: string }) =>
      `nothing is logged as \`${d.monitor}\``,
    d => (d.near === undefined ? d.known : `did you mean \`${d.near}\`?`),
  ),
  LTM4108: error(
    (_: undefined) => 'two unnamed losses in one step',
    () => 'name them: `minimize critic_loss = …`',
  ),
  LTM4109: error(
    (d: { name: string }) => `\`${d.name}\` is a metric, which has no value inside a step`,
    d => `write \`log ${d.name}(…)\`: every batch updates it, and it is computed once an epoch`,
  ),
  LTM4110: warning(
    (d: { paths: readonly string[] }) =>
      `no \`minimize\` depends on ${listed(d.paths)}, so ${d.paths.length === 1 ? 'it' : 'they'} will never move`,
    () => 'use it in a loss, or declare the model `frozen`',
  ),
  LTM4111: error(
    (d: { name: string }) =>
      `\`${d.name}\` looks at the loss of a batch more than once, so it can't accumulate several batches`,
    d => `give it \`accumulate: 1\`, or make the batches larger: \`${d.name}\` would have to keep them all`,
  ),
  LTM4112: error(
    (d: { name: string }) => `\`${d.name}\` can only be called by the lines of the update themselves`,
    () => 'a function has no loss of its own: call it outside, and hand over what it gives',
  ),
  LTM4113: error(
    (d: { name: string }) => `\`${d.name}\` moves all its parameters together, by the same settings`,
    () => 'take out `except …`',
  ),
  LTM4114: error(
    (d: { name: string }) => `\`${d.name}\` looks at a loss, and an average has none`,
    () => 'its `update` takes the average, the new value and `t`',
  ),
  LTM4115: error(
    (d: { count: number }) => `this \`update\` takes ${d.count} values, and there are three or five`,
    () =>
      'write `update(param, grad, t)` or, where all parameters move together, `update(param, grad, t, loss, closure)`',
  ),
  LTM4116: error(
    (d: { got: string }) => `this slot is \`${d.got}\`, and every parameter has its own`,
    () =>
      'write `like param`; an `update(param, grad, t, loss, closure)`, which moves all of them together, may have others',
  ),
  LTM4117: warning(
    (d: { name: string; slot: string }) =>
      `\`${d.name}\` minimises two losses in turn, and takes what its slot \`${d.slot}\` knows of one for the other`,
    () => 'minimise their sum, `minimize a = …, b = …`, or give each an optimizer of its own',
  ),
  LTM4118: warning(
    (d: { loss: string }) =>
      `\`${d.loss}\` takes the examples of a batch together, and an update is made of several batches`,
    () =>
      'what it compares stays within each of them: make the batches larger instead, `accumulate: 1`, where it should see all',
  ),
  LTM4201: error(
    (d: { key: string; near: string | undefined }) => `\`trainer\` has no setting \`${d.key}\``,
    d => (d.near === undefined ? undefined : `did you mean \`${d.near}\`?`),
  ),
  LTM4202: error((d: { key: string; wanted: string }) => `\`${d.key}\` wants ${d.wanted}`),
  LTM4203: error(
    (_: undefined) => 'nothing says when this training ends',
    () => 'write `trainer { epochs: 20 }` or `trainer { updates: 10000 }`',
  ),
  LTM4204: error(
    (d: { key: string; least: number; ends: string }) =>
      `\`${d.key}\` is ${d.least}, and the run is over after ${d.ends}`,
    () => 'the least is what has to be done before a `stop` may end the run, so it lies before the end',
  ),
  LTM4205: warning(
    (d: { waits: string; ends: string }) =>
      `this never happens: it waits for ${d.waits}, and the run ends after ${d.ends}`,
    () => 'let it come round sooner, or train longer',
  ),
  LTM4206: error(
    (d: { name: string }) => `\`${d.name}\` never comes: nothing is ever validated`,
    () => 'validate more often, or train longer; a monitor of `train` needs no validation',
  ),
  LTM4207: error(
    (_: Record<never, never>) => '`restore: best` has nothing to restore: no best is kept',
    () => 'say which weights are the best: `keep: best(min: val.loss)`',
  ),
  LTM4208: warning(
    (d: { key: string; phase: string }) => `\`${d.key}\` says nothing: there is no \`step ${d.phase}\``,
  ),
  LTM4209: error(
    (_: Record<never, never>) => '`accumulate` may look at the `epoch` and nothing else that changes',
    () => 'an update is made of batches of one epoch: `accumulate: if epoch < 5 then 1 else 4`',
  ),
  LTM4210: error(
    (_: Record<never, never>) =>
      '`plateau` is a factor in a setting of an optimizer, and stands nowhere else',
    () =>
      'write `optimizer adam = Adam(net, lr: 1e-3 * plateau(min: val.loss, factor: 0.5, patience: 3))`; hooks ask `stalled(…)`',
  ),
  LTM4211: error(
    (_: undefined) => 'the run ends by `time` alone, so that `total_updates` is not known',
    () =>
      'say `epochs` or `updates` as well, or go by the time: `0.5 * lr * (1 + cos(pi * min(seconds / 8 hours, 1)))`',
  ),
  LTM4301: error(
    (d: { data: string; split: string; near: string | undefined; splits: readonly string[] }) =>
      `\`${d.data}\` has no split \`${d.split}\``,
    d =>
      d.near === undefined
        ? `it has ${d.splits.map(split => `\`${split}\``).join(', ')}; choose one as in \`(batch from ${d.data}.${d.splits[0] ?? 'train'})\``
        : `did you mean \`${d.near}\`?`,
  ),
  LTM4302: error(
    (d: { got: string }) => `the shares of a split add up to ${d.got}, more than 1`,
    () => 'as in `split train: 0.8, val: 0.1, test: 0.1`',
  ),
  LTM4303: error(
    (d: { name: string; data: readonly string[] }) =>
      d.data.length === 0
        ? `there is no \`data\` that \`${d.name}\` could be a batch of`
        : `\`${d.name}\` could be a batch of ${listed(d.data)}: say which`,
    d =>
      d.data.length === 0
        ? 'declare one, `data digits = Digits(batch: 64)`; a step without data has nothing in its parentheses'
        : `write \`(${d.name} from ${d.data[0]}.train)\``,
  ),
  LTM4304: error(
    (d: { field: string; expected: string; got: string }) =>
      `the field \`${d.field}\` is declared ${d.expected}, and its value is ${d.got} an example`,
  ),
  LTM4305: error(
    (d: { field: string }) => `\`${d.field}\` mixes examples, and a field is computed example by example`,
    () =>
      'a number taken from the whole training split is a `fit`: `fit centre: f32[4] = mean(columns(0..4), axis: 0)`',
  ),
  LTM4306: error(
    (d: { name: string; near: string | undefined }) => `there is no source \`${d.name}\``,
    d =>
      d.near === undefined
        ? 'sources are `csv`, `jsonl`, `parquet`, `idx`, `npy`, `npz`, `safetensors`, `images`, `text`, `typescript`, `inline` and `synthetic`'
        : `did you mean \`${d.near}\`?`,
  ),
  LTM4307: error(
    (_: undefined) => 'a dataset field may not be called `size`: `batch.size` is the number of examples',
    () => 'give it another name, such as `length`',
  ),
  LTM4308: error(
    (d: { name: string }) =>
      `a fit must not depend on the number of examples, and \`${d.name}\` has it in its shape`,
  ),
  LTM4309: error((d: { index: string; has: string }) => `there is no column ${d.index}: columns ${d.has}`),
  LTM4310: error(
    (d: { name: string }) => `the buffer \`${d.name}\` is set outside of training, where buffers stand still`,
    d => `write \`if training { set ${d.name} = … }\``,
  ),
  LTM4311: error(
    (d: { name: string }) => `the buffer \`${d.name}\` is set inside of a loop over an axis`,
    () => 'carry a `var` through the loop, and set the buffer from it afterwards',
  ),
  LTM4312: error(
    (d: { glob: string; near: string | undefined }) =>
      `\`${d.glob}\` freezes nothing: no model has such a path`,
    d => (d.near === undefined ? undefined : `did you mean \`${d.near}\`?`),
  ),
  LTM4313: error(
    (d: { made: string }) =>
      `\`${d.made}\` is made in the middle of a computation, where its parameters have no place`,
    () => 'declare it, as a `layer` of the module or a `model` of the `train`, and use it by its name',
  ),
  LTM4314: error(
    (d: { name: string; path: string }) =>
      `\`${d.path}\` has its place, and \`${d.name}\` would be another one for it`,
    d =>
      `use it as \`${d.path}\`, under another name by \`let ${d.name} = …\`, or make another one with \`copy\``,
  ),
  LTM4315: error(
    (d: { got: string }) => `an average follows a model or a parameter of \`train\`, and this is ${d.got}`,
    () => 'write `average ema = Ema(net, decay: 0.999)`, where `net` is a `model`, or a part of one',
  ),
  LTM4316: error(
    (d: { name: string; of: string }) =>
      `\`${d.name}\` would never move: no optimizer has parameters of \`${d.of}\``,
    d =>
      `give \`${d.of}\` to an optimizer; to start as \`${d.of}\` does without following it, write \`model ${d.name} = copy(${d.of}) frozen\``,
  ),
  LTM4317: error(
    (d: { got: string; near: string | undefined }) =>
      `\`buffers\` of an average is \`copy\` or \`average\`, not \`${d.got}\``,
    d => (d.near === undefined ? undefined : `did you mean \`${d.near}\`?`),
  ),
  LTM4318: error(
    (d: { got: string }) => `\`copy\` takes a module that has a place, and this is ${d.got}`,
    () => 'a `model` of the `train`, a `layer`, or a list of them',
  ),
  LTM4330: error(
    (d: { column: string }) => `\`${d.column}\` holds texts, which no field computes with`,
    d =>
      `make numbers of them: \`encode(${d.column})\` numbers the different texts, \`tokenize(${d.column}, words)\` the words in each`,
  ),
  LTM4331: error(
    (d: { name: string; type: string }) =>
      `\`${d.name}\` is ${d.type}, but only the first size of a field may differ between examples`,
    () =>
      'sizes are numbers, or constants such as `const K = 4`; a ragged field is written `field words: i32[t] = …`',
  ),
  LTM4332: error(
    (d: { column: string }) => `\`${d.column}\` has another length in each example`,
    () =>
      'declare the field ragged, with a lower-case size: `field x: f32[t] = …`; batches then have `x`, `x.mask` and `x.length`',
  ),
  LTM4333: error(
    (d: { name: string }) =>
      `every example of \`${d.name}\` has the same size: there is nothing to bound or pad`,
    () => 'a ragged field has a lower-case size: `field x: f32[t] = … where t <= 200 pad 0`',
  ),
  LTM4334: error(
    (d: { size: string }) =>
      `behind a ragged field, \`where\` bounds its size, \`${d.size}\`, and nothing else`,
    d => `write \`where ${d.size} <= 200\`: longer examples are cut to it`,
  ),
  LTM4335: error(
    (d: {
      callee: string
      /** The vocabulary that is of no use for it. */
      of: { readonly name: string; readonly unit: string } | undefined
    }) =>
      d.of
        ? `\`${d.of.name}\` is a vocabulary of ${d.of.unit === 'whole' ? 'whole texts' : d.of.unit}, of no use for \`${d.callee}\``
        : `\`${d.callee}\` makes numbers of a column of texts`,
    d => {
      if (d.of)
        return `write \`${d.callee === 'encode' ? 'tokenize' : 'encode'}(column("text"), ${d.of.name})\``
      return d.callee === 'encode'
        ? 'write `encode(column("kind"))`, or `encode(column("kind"), kinds)` with a vocabulary of the dataset'
        : 'write `tokenize(column("text"), words, size: 20000)`, or `characters` or a vocabulary in place of `words`'
    },
  ),
  LTM4336: error(
    (d: { field: string; size: string }) =>
      `\`${d.field}\` takes places along \`${d.size}\` together, and a ragged field is computed place by place`,
    d =>
      `sums and orders along \`${d.size}\` belong into a step, where \`batch.${d.field}.mask\` says which places count`,
  ),
  LTM4337: error(
    (d: { name: string }) =>
      `\`${d.name}\` is learned from the training split, and a filter leaves rows out before there is one`,
    () => 'filter by columns, and by fields that are computed without a fit or a vocabulary',
  ),
  LTM4338: error(
    (d: { name: string; near: string | undefined }) =>
      `\`augment\` makes another value of a field, and there is no field \`${d.name}\``,
    d => (d.near === undefined ? undefined : `did you mean \`${d.near}\`?`),
  ),
  LTM4339: error(
    (d: { got: string }) => `a filter says of each row whether it stays, so it is a bool, not ${d.got}`,
    () => 'write a condition on columns or fields, as in `filter column(4) >= 0`',
  ),
  LTM4340: error(
    (d: { call: string }) => `\`${d.call}\` is not at hand while training: fields are, and fits`,
    d => `keep it in a field, \`field extra: f32 = ${d.call}\`, and read that`,
  ),
  LTM4341: error(
    (d: { what: string }) => `a draw in a dataset belongs to one example, and this one ${d.what}`,
    () =>
      'a draw in a field or an `augment` has the examples as its first axis: `normal()` takes the shape that is declared, `normal(like: x)` that of `x`',
  ),
  LTM4342: error(
    (_: undefined) => '`standardize` learns from the training split, which is for a field to ask',
    () => 'write `field x: f32[4] = standardize(columns(0..4))`',
  ),
  LTM4343: error(
    (d: { metric: string }) =>
      `\`${d.metric}\` does not weigh what it is given: its \`update\` has no \`weight\``,
    () =>
      'a metric that weighs has one, as in `update(logits: f32[...b, k], label: i32[...b], weight: f32[...b] = ones())`',
  ),
  LTM4344: error(
    (_: Record<never, never>) => '`decode` makes texts, which only what a `predict` step returns can be',
    () => 'return the numbers here, and decode them in `step predict(batch) { return { … } }`',
  ),
  LTM4345: error(
    (d: { field: string; known: readonly string[] }) =>
      `\`${d.field}\` has no texts: it is not read by \`encode\` or \`tokenize\` alone`,
    d =>
      d.known.length === 0
        ? 'declare a field as `encode(column("kind"))`, and decode with that'
        : `fields with texts: ${d.known.map(name => `\`${name}\``).join(', ')}`,
  ),
  LTM4346: error(
    (d: { what: string; holds: string }) => `\`${d.what}\` has no count: it is ${d.holds}`,
    () => 'what can be counted are fields of whole numbers, `field kind: i32 = …`, and vocabularies',
  ),
  LTM4347: error(
    (_: undefined) => 'a vocabulary is learned from columns of texts, and has a name',
    () =>
      'write `fit names: vocabulary = vocabulary(column("user"), column("friend"))`, with `words` or `characters` behind the columns where not whole texts have numbers',
  ),
  LTM4348: error(
    (d: { name: string }) => `\`size:\` belongs to the vocabulary, and \`${d.name}\` is declared elsewhere`,
    d => `write \`fit ${d.name}: vocabulary = vocabulary(…, size: 20000)\``,
  ),
  LTM4349: error(
    (d: { name: string; only: boolean }) =>
      `\`${d.name}\` ends the epoch, being the first stream of its step, so it does not \`cycle\``,
    d =>
      d.only
        ? 'leave `cycle` out'
        : `leave \`cycle\` out, or put the stream that ends the epoch before \`${d.name}\``,
  ),
  LTM4350: error(
    (d: { path: string }) =>
      `the path \`${d.path}\` inserts what is no number or text that is known before the run`,
    () => 'a path may insert constants, arguments of the dataset and hypers',
  ),
  LTM4351: error(
    (d: { column: string }) => `the \`shape\` of \`${d.column}\` is the list of sizes of one example`,
    d => `as in \`${d.column}("x", shape: [28, 28])\`, without the axis of the examples`,
  ),
  LTM4401: error(
    (d: { name: string; value: string; domain: string }) =>
      `\`${d.name}\` is ${d.value}, outside of \`${d.domain}\``,
    () => 'choose a value inside, or widen the domain',
  ),
  LTM4402: error(
    (d: { name: string; value: string; wanted: string }) =>
      `\`${d.value}\` is not ${d.wanted}, which \`${d.name}\` wants`,
  ),
  LTM4501: error(
    (d: { event: string; near: string | undefined }) => `there is no event \`${d.event}\``,
    d => (d.near === undefined ? undefined : `did you mean \`${d.near}\`?`),
  ),
  LTM4502: error(
    (d: { statement: string; place: string }) => `\`${d.statement}\` cannot stand in ${d.place}`,
  ),
  LTM4503: error(
    (_: undefined) => '`skip` leaves a batch out, and an update came before it',
    () => 'decide before the first `minimize`',
  ),
  LTM4504: error(
    (d: { value: string; loss: string }) =>
      `the gradient of \`${d.loss}\` would have to flow through \`${d.value}\`, which a block of the host sets`,
    d =>
      `minimise in that block, write \`where(…)\` for a choice, or \`stop_gradient(${d.value})\` if no gradient should flow`,
  ),
  LTM4505: error(
    (d: { name: string; got: string }) =>
      `\`${d.name}\` is ${d.got}, and a condition or loop of the host can set tensors, numbers and bools only`,
    () => 'a list may grow in a loop over a list or in a function, where loops are written out',
  ),
  LTM4506: error(
    (d: { count: number; of: string }) => `${d.count} of what? \`${d.of}\` counts updates`,
    d => `write \`${d.count} updates of ${d.of}\``,
  ),
  LTM4507: error(
    (d: { precision: string }) =>
      `no engine trains in the precision \`${d.precision}\` yet: all compute in 32 bits`,
    () => 'write `precision: f32`, or leave it out',
  ),
  LTM4508: error(
    (d: { name: string }) =>
      `\`${d.name}\` looks at a clock or a variable of the training, and runs where there is none`,
    () => 'take the number as an argument, and give it where the training can',
  ),
} satisfies Record<string, Entry<never>>
