// What says the same again and again: the same words, whatever numbers are in them, are told so many times in a while, and counted
// beyond that. It has no clock: whoever asks says when.
// Invariant: no more than KINDS are remembered, and what was counted is told once.

const AT_ONCE = 5
export const WHILE_MS = 60_000
const KINDS = 256

interface Kind {
  readonly since: number
  count: number
  latest: string
}

/** What was not told. */
export interface Missed {
  readonly count: number
  /** The latest of them. */
  readonly message: string
}

export class Repeats {
  readonly #kinds = new Map<string, Kind>()

  /** Whether `message` is to be told at `now`, in milliseconds; over() is asked before. */
  tell(message: string, now: number): boolean {
    const name = message.replace(/\d+/g, '#')
    const kind = this.#kinds.get(name)
    if (kind === undefined) {
      // A kind too many has no memory of its own, and is told.
      if (this.#kinds.size < KINDS) this.#kinds.set(name, { since: now, count: 1, latest: message })
      return true
    }
    kind.count++
    kind.latest = message
    return kind.count <= AT_ONCE
  }

  /** What was not told in the whiles that are over at `now`; the next of its kind is told again. */
  over(now: number): Missed[] {
    const missed: Missed[] = []
    for (const [name, { since, count, latest }] of this.#kinds) {
      if (now - since < WHILE_MS) continue
      this.#kinds.delete(name)
      if (count > AT_ONCE) missed.push({ count: count - AT_ONCE, message: latest })
    }
    return missed
  }
}
