// What says the same again and again: the same words, whatever numbers are in them, are told so many times in a while, and counted
// beyond that. It has no clock: whoever asks says when.
// Invariant: no more than KINDS are remembered.

const AT_ONCE = 5
const WHILE_MS = 60_000
const KINDS = 256

interface Kind {
  since: number
  count: number
}

export class Repeats {
  readonly #kinds = new Map<string, Kind>()

  /** Whether `message` is to be told at `now`, in milliseconds, and how many like it were not since the last that was. */
  see(message: string, now: number): { tell: boolean; missed: number } {
    const name = message.replace(/\d+/g, '#')
    const kind = this.#kinds.get(name)
    if (kind && now - kind.since < WHILE_MS) {
      kind.count++
      return { tell: kind.count <= AT_ONCE, missed: 0 }
    }
    const missed = kind ? Math.max(0, kind.count - AT_ONCE) : 0
    this.#kinds.delete(name)
    this.#kinds.set(name, { since: now, count: 1 })
    if (this.#kinds.size > KINDS) this.#kinds.delete(this.#kinds.keys().next().value!)
    return { tell: true, missed }
  }
}
