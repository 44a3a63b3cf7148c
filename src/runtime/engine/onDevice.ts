import { MathBackendCPU } from '@tensorflow/tfjs-backend-cpu'
import type { TensorData } from '@tensorflow/tfjs-backend-cpu/dist/backend_cpu.js'
import * as tf from '@tensorflow/tfjs-core'
import { bug } from '../../base/bug.ts'
import type { GraphTensor } from '../../base/graphs.ts'
import type { DeviceTensor, Numbers } from './ort.ts'

const dtypes = { f32: 'float32', i32: 'int32', bool: 'bool' } as const

/**
 * Tensors of TensorFlow.js whose numbers lie on the device that graphs run on. Whoever reads one, be it a kernel or a checkpoint, has it
 * downloaded then, and not again.
 */
export class OnDevice {
  readonly #download: (tensor: DeviceTensor) => Numbers
  readonly #held = new Map<object, Held>()

  constructor(download: (tensor: DeviceTensor) => Numbers) {
    this.#download = download
  }

  tensorOf({ dtype, shape }: GraphTensor, device: DeviceTensor): tf.Tensor {
    const backend = tf.backend()
    if (!(backend instanceof MathBackendCPU))
      return bug('tensors of a device without plain JavaScript beside it')
    const dataId = {}
    const held = new Held(dtypes[dtype], device, this.#download, () => this.#held.delete(dataId))
    this.#held.set(dataId, held)
    backend.data.set(dataId, held)
    return tf.engine().makeTensorFromDataId(dataId, [...shape], dtypes[dtype], backend)
  }

  /** Where the numbers of a tensor lie, where that is on the device. */
  find({ dataId }: tf.Tensor): DeviceTensor | undefined {
    return this.#held.get(dataId)?.device
  }

  /** Brings what is still in use home: the device is about to go. */
  settle(): void {
    for (const held of [...this.#held.values()]) held.settle()
  }
}

/** What TensorFlow.js keeps of a tensor; it counts who uses the numbers, and forgets them where nobody does. */
class Held implements TensorData<tf.DataType> {
  readonly dtype: tf.DataType
  readonly #download: (tensor: DeviceTensor) => Numbers
  readonly #forget: () => void
  #device: DeviceTensor | undefined
  #values: Numbers | undefined
  #refCount = 1

  constructor(
    dtype: tf.DataType,
    device: DeviceTensor,
    download: (tensor: DeviceTensor) => Numbers,
    forget: () => void,
  ) {
    this.dtype = dtype
    this.#device = device
    this.#download = download
    this.#forget = forget
  }

  get device(): DeviceTensor | undefined {
    return this.#device
  }

  get values(): Numbers {
    this.#values ??= this.#device && this.#download(this.#device)
    return this.#values ?? bug('numbers that nobody has')
  }

  get refCount(): number {
    return this.#refCount
  }

  set refCount(count: number) {
    this.#refCount = count
    if (count <= 0) this.#leave()
  }

  settle(): void {
    // A device that is lost has taken its numbers with it.
    try {
      this.#values ??= this.values
    } finally {
      this.#leave()
    }
  }

  #leave(): void {
    this.#device?.dispose()
    this.#device = undefined
    this.#forget()
  }
}
