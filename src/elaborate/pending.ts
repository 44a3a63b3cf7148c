/** Names of the language's library that this version does not have yet: to miss one is no mistake of the user's. */
export const pendingNames: ReadonlySet<string> = new Set([
  // Functions, layers, metrics.
  'vocabulary',
])
