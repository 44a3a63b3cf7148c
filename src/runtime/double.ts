/**
 * Runs tfjs's cpu backend in 64-bit floats: it allocates by the global name `Float32Array`, which stands for
 * `Float64Array` meanwhile. Tensors from inside must not be used outside.
 */
export function inDouble<T>(use: () => T): T {
  const single = Float32Array
  Reflect.set(globalThis, 'Float32Array', Float64Array)
  try {
    return use()
  } finally {
    Reflect.set(globalThis, 'Float32Array', single)
  }
}
