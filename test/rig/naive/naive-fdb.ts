// A forwarding database the obvious way: one Map, in the order of renewal, and loops over all of it. The oracle of tunnel/fdb.ts.
// Invariant: shares no line and no constant with it.

interface Entry {
  port: number
  seen: number
}

export class NaiveFdb {
  readonly #entries: number
  readonly #ageing: number
  readonly #known = new Map<string, Entry>()

  constructor(entries = 16384, ageing = 300_000) {
    this.#entries = entries
    this.#ageing = ageing
  }

  learn(mac: Uint8Array, port: number, now: number): 'same' | 'new' | 'ignored' | number {
    const name = Buffer.from(mac).toString('hex')
    if (mac[0]! % 2 === 1 || mac.every((octet) => octet === 0)) return 'ignored'
    const entry = this.#known.get(name)
    const alive = entry !== undefined && now < entry.seen + this.#ageing
    if (alive && entry.port === port && now < entry.seen + Math.min(1000, this.#ageing / 64)) return 'same'
    if (!entry && this.#known.size === this.#entries) this.#forgetOne(port)
    this.#known.delete(name)
    this.#known.set(name, { port, seen: now })
    if (!alive) return 'new'
    return entry.port === port ? 'same' : entry.port
  }

  lookup(mac: Uint8Array, now: number): number | undefined {
    const entry = this.#known.get(Buffer.from(mac).toString('hex'))
    return entry && now < entry.seen + this.#ageing ? entry.port : undefined
  }

  age(now: number): void {
    for (const [name, { seen }] of this.#known) if (now >= seen + this.#ageing) this.#known.delete(name)
  }

  flush(port: number): void {
    for (const [name, entry] of this.#known) if (entry.port === port) this.#known.delete(name)
  }

  count(port: number): number {
    return [...this.#known.values()].filter((entry) => entry.port === port).length
  }

  entries(now: number): string[] {
    const alive = [...this.#known].filter(([, { seen }]) => now < seen + this.#ageing)
    return alive.map(([name, { port }]) => `${name} ${port}`).sort()
  }

  /** The oldest of those that are most; of equals the learner's, else that of the lowest port. */
  #forgetOne(learner: number): void {
    const ports = [...new Set([...this.#known.values()].map((entry) => entry.port))].sort((a, b) => a - b)
    const most = Math.max(...ports.map((port) => this.count(port)))
    const loser = this.count(learner) === most ? learner : ports.find((port) => this.count(port) === most)
    const [name] = [...this.#known].find(([, entry]) => entry.port === loser)!
    this.#known.delete(name)
  }
}
