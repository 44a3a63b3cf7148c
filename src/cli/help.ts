/** What every exit code means, for `--help`. */
export const exitCodeHelp = `
Exit codes:
  0    done
  1    the program or its data is wrong; the messages say where
  2    the command was not understood
  3    training failed, such as by a loss that is not finite
  4    an error of ltm itself
  130  interrupted, and saved`

/** Examples, then the exit codes. */
export function afterHelp(examples: readonly string[]): string {
  return `\nExamples:\n${examples.map(example => `  $ ${example}`).join('\n')}\n${exitCodeHelp}`
}
