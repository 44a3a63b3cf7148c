/** Where a reporter writes; `process.stdout` is one. */
export interface ReportStream {
  write(text: string): unknown
  readonly isTTY?: boolean | undefined
  readonly columns?: number | undefined
}

/** Writes each text as a line of its own. */
export function writeLines(stream: ReportStream, lines: readonly string[]): void {
  if (lines.length > 0) stream.write(`${lines.join('\n')}\n`)
}
