// Steps of which one that fails must not keep the others from being taken, as when things are put back.

/** Takes all of them, one after the other. @throws the first error, when all were taken */
export async function tryAll(steps: Iterable<() => unknown>): Promise<void> {
  const errors: unknown[] = []
  for (const step of steps) {
    try {
      await step()
    } catch (error) {
      errors.push(error)
    }
  }
  if (errors.length > 0) throw errors[0]
}
