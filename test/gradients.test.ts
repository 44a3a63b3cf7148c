import '@tensorflow/tfjs-backend-cpu'
import * as tf from '@tensorflow/tfjs-core'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { registerGradients } from '../src/runtime/gradients.ts'

const test = suite('gradients on the tape')

test.before(async () => {
  await tf.setBackend('cpu')
  registerGradients()
})

// tfjs disposes of a value's gradient when it adds a second one to it.
test('a value with two gradients leaves those of its neighbours alone', () => {
  const loss = (a: tf.Tensor, b: tf.Tensor): tf.Tensor => {
    const early = tf.sum(tf.square(a))
    const both = tf.add(a, b)
    return tf.add(tf.sum(both), tf.add(early, tf.sum(tf.reshape(a, [2]))))
  }
  const [da, db] = tf.grads(loss)([tf.tensor1d([1, 2]), tf.tensor1d([3, 4])])
  assert.equal([...da!.dataSync()], [4, 6])
  assert.equal([...db!.dataSync()], [1, 1])
})

test('a gradient that is only handed on can be added to', () => {
  const loss = (a: tf.Tensor, b: tf.Tensor): tf.Tensor => {
    const sum = tf.add(a, b)
    const twice = tf.add(sum, a)
    return tf.sum(tf.mul(twice, tf.add(twice, b)))
  }
  const [da, db] = tf.grads(loss)([tf.tensor1d([1]), tf.tensor1d([3])])
  // (2a + b)(2a + 2b): by a 2(2a + 2b) + 2(2a + b), by b (2a + 2b) + 2(2a + b).
  assert.equal([...da!.dataSync()], [26])
  assert.equal([...db!.dataSync()], [18])
})

test.run()
