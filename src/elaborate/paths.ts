/** The path of a part of something: `net` and `head` make `net.head`. */
export function joinPath(owner: string, part: string): string {
  return owner === '' ? part : part.startsWith('[') ? owner + part : `${owner}.${part}`
}
