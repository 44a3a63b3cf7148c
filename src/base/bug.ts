/** An error of ours, never the user's: it says so, and asks for a report. */
export class Bug extends Error {
  constructor(message: string) {
    super(
      `${message}\nThis is a bug in ltm, not in your program. Please report it with the program that shows it.`,
    )
    this.name = 'Bug'
  }
}

/** Throws a {@link Bug}; an expression, so that it can stand behind `??`. */
export function bug(message: string): never {
  throw new Bug(message)
}

/** Marks a place that the types say is never reached. */
export function unreachable(value: never): never {
  return bug(`unexpected ${JSON.stringify(value)}`)
}
