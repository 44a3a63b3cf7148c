/** What a generated page begins with. */
export function opening(title: string, from: string): string {
  return `# ${title}\n\n<!-- Written by \`npm run docs\` from ${from}. -->`
}

/** Pieces with a blank line between them. */
export function page(pieces: readonly string[]): string {
  return `${pieces.join('\n\n')}\n`
}
