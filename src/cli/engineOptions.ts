import { Option } from 'commander'
import { engines } from './engine.ts'

/** The flag of every command that trains and takes both engines. */
export function engineOption(): Option {
  return new Option('--engine <name>', 'whether steps run as compiled graphs, or operator by operator')
    .choices([...engines])
    .default('auto')
}

/** What runs the operators or the graphs. */
export function backendOption(): Option {
  return new Option('--backend <name>', 'what computes')
    .choices(['auto', 'cuda', 'tensorflow', 'webgpu', 'wasm', 'cpu'])
    .default('auto')
}
