/** What a text is cut into: words that only `tokenize` and `vocabulary` read as such. */
export const textUnits = ['words', 'characters'] as const

/** Words that are no names, and that few calls understand: these, and the phases of `plateau(min: val.loss)`. */
export const spokenWords: readonly string[] = [...textUnits, 'train', 'val', 'test']
