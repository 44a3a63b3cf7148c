import type { Trace } from '../training.ts'
import type { Windows } from './text.ts'

/** A source in files, as generated programs name it. Paths start from the folder of the program. */
export type FileSourceSpec =
  | {
      readonly kind: 'idx' | 'npy'
      /** One array a file, under the names that the program gives them. */
      readonly files: Readonly<Record<string, string>>
      readonly trace: Trace
    }
  | {
      readonly kind: 'npz' | 'safetensors' | 'jsonl' | 'parquet' | 'typescript'
      readonly path: string
      readonly trace: Trace
    }
  | {
      readonly kind: 'images'
      readonly path: string
      /** Channels, height and width. */
      readonly shape: readonly [channels: 1 | 3 | 4, height: number, width: number]
      readonly trace: Trace
    }
  | ({ readonly kind: 'text'; readonly path: string; readonly trace: Trace } & Windows)
