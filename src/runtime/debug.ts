import * as tf from '@tensorflow/tfjs-core'
import { type Shown, shownText } from './report/shown.ts'
import type { Session } from './session.ts'
import type { Trace } from './training.ts'

/** The functions of a generated program have no run to tell, and can't wait: what they show is told when a step ends. */
const waiting: Waiting[] = []

/** A value under its label, or a line that comes behind some. */
type Waiting =
  | { readonly line: string }
  | { readonly label: string; readonly trace: Trace; readonly value: Shown | tf.Tensor }

/** Shows a value of the program at its line: a tensor by its type, its numbers, and what they amount to. */
export function debug(label: string, value: tf.Tensor | number | boolean | string, trace: Trace): void {
  waiting.push({ label, trace, value: value instanceof tf.Tensor ? taken(value) : { value } })
}

/** A tensor as it is now: a parameter may move in place. Numbers of a graphics card can't be had at once, but never change. */
function taken(tensor: tf.Tensor): Shown | tf.Tensor {
  if (tf.getBackend() === 'webgpu') return tf.keep(tensor.clone())
  return { dtype: tensor.dtype, shape: tensor.shape, numbers: Float64Array.from(tensor.dataSync()) }
}

/** A line to be told now or, where values wait, behind them. */
export function tell({ report }: Session, text: string): void {
  if (waiting.length === 0) report({ kind: 'message', text })
  else waiting.push({ line: text })
}

/** Tells what has been shown since, in order. */
export async function tellShown({ report }: Session): Promise<void> {
  for (const each of waiting.splice(0))
    report({ kind: 'message', text: 'line' in each ? each.line : await textOf(each) })
}

/** Forgets what has been shown since: it was told before. */
export function dropShown(): void {
  for (const each of waiting.splice(0))
    if ('value' in each && each.value instanceof tf.Tensor) each.value.dispose()
}

async function textOf({ label, trace, value }: Exclude<Waiting, { readonly line: string }>): Promise<string> {
  if (!(value instanceof tf.Tensor)) return shownText(trace, label, value)
  const numbers = Float64Array.from(await value.data())
  value.dispose()
  return shownText(trace, label, { dtype: value.dtype, shape: value.shape, numbers })
}
