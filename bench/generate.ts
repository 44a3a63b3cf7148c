/** A part of a program as people write them: data, a layer, a model, functions, a loss, and what trains them. */
function part(i: number): string {
  return `
/// Measurements of site ${i}.
dataset Site${i} from csv("site${i}.csv", skip: 1) {
  fit centre: f32[8] = mean(columns(0..8), axis: 0)
  fit spread: f32[8] = std(columns(0..8), axis: 0)
  field x: f32[8]   = (columns(0..8) - centre) / spread
  field label: i32  = column(8)
  split train: 0.8, val: 0.2
}

/// A layer that adds what it finds to what it was given.
module Residual${i}(size: int, dropout: float = 0.0) {
  layer first = Linear(size, size)
  layer second = Linear(size, size)
  layer drop = Dropout(dropout)

  forward(x: f32[n, size]) -> f32[n, size] {
    let hidden = gelu(first(x))
    return x + drop(second(hidden))
  }
}

/// Two residual layers between a projection and the classes.
module Classifier${i}(inputs: int, size: int, classes: int) {
  layer enter = Linear(inputs, size)
  layer one = Residual${i}(size, dropout: 0.1)
  layer two = Residual${i}(size)
  layer leave = Linear(size, classes)
  param temperature: f32[] in positive = 1.0

  forward(x: f32[n, inputs]) -> f32[n, classes] {
    let entered = relu(enter(x))
    return leave(two(one(entered))) / temperature
  }
}

/// How sure the classifier is, from 0 to 1.
fn confidence${i}(logits: f32[n, classes]) -> f32[n] {
  let shifted = logits - max(logits, axis: -1, keep: true)
  let weights = exp(shifted)
  return max(weights, axis: -1) / sum(weights, axis: -1)
}

/// Cross-entropy with a price for being sure.
loss careful${i}(logits: f32[n, classes], label: i32[n], price: float = 0.1) -> f32[n] {
  let sure = confidence${i}(logits)
  return cross_entropy(logits, label) + price * sure ^ 2
}

train Fit${i} {
  hyper lr: float in log_range(1e-5, 1e-1) = 1e-3
  hyper size: int = ${16 + (i % 4) * 16}

  data site = Site${i}(batch: 32)
  model net = Classifier${i}(8, size, 5)
  optimizer adam = AdamW(net, lr: lr)
  metric accuracy = Accuracy(classes: 5)

  step train(batch) {
    let logits = net(batch.x)
    minimize careful${i}(logits, batch.label)
    log accuracy(logits, batch.label) bar
  }

  step val(batch) {
    let logits = net(batch.x)
    log loss = careful${i}(logits, batch.label, price: 0.0)
    log sure = mean(confidence${i}(logits))
    log accuracy(logits, batch.label)
  }

  trainer { epochs: 5, seed: ${i} }
}
`
}

/** A program of at least so many lines, whole parts of it. */
export function generate(lines: number): string {
  let text = ''
  for (let i = 0; text.split('\n').length <= lines; i++) text += part(i)
  return text
}
