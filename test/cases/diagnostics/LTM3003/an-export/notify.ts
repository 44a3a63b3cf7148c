/** Tells somebody. */
export async function post(title: string, value: number): Promise<void> {
  console.log(title, value)
}
