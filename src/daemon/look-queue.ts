// Looks that wait for their turn: one at a time, and each kind waits once. What begins later sees all that has changed until then,
// so a second one that waits would see the same. Invariant: after stop() none begins.

export type Look = () => Promise<void>

export class LookQueue {
  readonly #waiting = new Set<Look>()
  #looking = Promise.resolve()
  #stopped = false

  /** One that is under way may have passed what has just changed: then the same waits behind it. */
  add(look: Look): void {
    if (this.#waiting.has(look)) return
    this.#waiting.add(look)
    this.#looking = this.#looking.then(async () => {
      this.#waiting.delete(look)
      if (!this.#stopped) await look()
    })
  }

  /** Resolves when the one that is under way has come to its end. */
  async stop(): Promise<void> {
    this.#stopped = true
    await this.#looking
  }
}
