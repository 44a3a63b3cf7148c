import { Option } from 'commander'
import { nearest } from '../base/names.ts'
import type { Program } from '../ir/ir.ts'
import { badUsage } from './cli.ts'

/** Values of hypers as they were typed. */
export type Hypers = ReadonlyMap<string, string>

/** The option that sets a hyper; it may be given many times. */
export function setOption(description = 'set a hyper'): Option {
  return new Option('--set <name=value>', description).argParser(collectHyper)
}

/** A flag of a command, as commander describes it. */
export interface Flag {
  readonly long?: string | undefined
  readonly short?: string | undefined
  readonly required: boolean
  readonly optional: boolean
}

/**
 * Turns `--NAME VALUE` of flags that the command does not know into `--set=NAME=VALUE`: they name hypers. One without a
 * value, at the end or before another flag, means `true`.
 */
export function hyperFlags(args: readonly string[], flags: readonly Flag[]): readonly string[] {
  const out: string[] = []
  for (let i = 0; i < args.length; i++) {
    const arg = args[i] ?? ''
    if (arg === '--') return [...out, ...args.slice(i)]
    const flag = flags.find(({ long, short }) => arg === long || arg === short || arg.startsWith(`${long}=`))
    if (flag || !arg.startsWith('--')) {
      out.push(arg)
      const next = args[i + 1]
      if (flag?.required && !arg.includes('=') && next !== undefined) out.push(args[++i] ?? '')
    } else if (arg.includes('=')) out.push(`--set=${arg.slice(2)}`)
    else if (isValue(args[i + 1])) out.push(`--set=${arg.slice(2)}=${args[++i]}`)
    else out.push(`--set=${arg.slice(2)}=true`)
  }
  return out
}

/** `-0.5` is a value, `-h` a flag. */
function isValue(arg: string | undefined): boolean {
  return arg !== undefined && (!arg.startsWith('-') || /^-(\d|\.\d|inf)/.test(arg))
}

/** Gathers `--set NAME=VALUE`; the last one of a name counts, and `batch-size` is `batch_size`. */
function collectHyper(text: string, known: Hypers | undefined): Hypers {
  const at = text.indexOf('=')
  const name = text.slice(0, at).replaceAll('-', '_')
  if (at < 0 || !/^[A-Za-z_]\w*$/.test(name)) {
    throw badUsage(`\`--set ${text}\` is not NAME=VALUE`, 'Write for example `--set lr=3e-4`.')
  }
  return new Map(known).set(name, text.slice(at + 1))
}

/** Refuses names that none of the programs has a hyper for. */
export function checkHyperNames(
  given: Hypers | undefined,
  programs: readonly Program[],
  flags: readonly Flag[],
): void {
  const hypers = [...new Set(programs.flatMap(program => program.hypers.map(hyper => hyper.name)))]
  for (const name of given?.keys() ?? []) {
    if (!hypers.includes(name))
      throw badUsage(`there is no option and no hyper \`${name}\``, meantBy(name, hypers, flags))
  }
}

/** The hyper or the option that was probably meant, else all hypers. */
function meantBy(name: string, hypers: readonly string[], flags: readonly Flag[]): string {
  const options = flags.flatMap(flag => (flag.long ? [flag.long.slice(2)] : []))
  const near = nearest(name, [...hypers, ...options])
  if (near !== undefined) return `Did you mean \`${hypers.includes(near) ? near : `--${near}`}\`?`
  const known = hypers.length === 0 ? 'The program has no hypers.' : `Its hypers: ${hypers.join(', ')}.`
  return `${known} See --help for the options.`
}
