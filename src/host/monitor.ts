// Tells when links, addresses or routes of this host change, by `ip monitor` as a child. What changed is not said: the
// listener asks again. Invariant: it never keeps the process alive and never throws; without `ip` it stays silent.

import { type ChildProcess, spawn } from 'node:child_process'

/** A change seldom comes alone: a bridge that joins writes some ten lines. */
const SETTLE_MS = 100
const FIRST_RETRY_MS = 1_000
const LAST_RETRY_MS = 60_000

const watching = new Set<Monitor>()

/** One listener for all of them: of an eleventh Node warns, and there may be more tunnels. */
function killAll(): void {
  for (const monitor of watching) monitor.killChild()
}

/** Calls `onChange` at most once in 100 ms, and once more after a gap in watching. */
export function watchHost(onChange: () => void): { stop(): void } {
  const monitor = new Monitor(onChange)
  monitor.start()
  return monitor
}

class Monitor {
  readonly #onChange: () => void
  #child: ChildProcess | undefined
  #settling: NodeJS.Timeout | undefined
  #retrying: NodeJS.Timeout | undefined
  #retryMs = FIRST_RETRY_MS
  #stopped = false

  constructor(onChange: () => void) {
    this.#onChange = onChange
  }

  start(): void {
    if (watching.size === 0) process.on('exit', killAll)
    watching.add(this)
    this.#watch()
  }

  stop(): void {
    this.#stopped = true
    clearTimeout(this.#settling)
    clearTimeout(this.#retrying)
    if (watching.delete(this) && watching.size === 0) process.off('exit', killAll)
    this.killChild()
  }

  killChild(): void {
    this.#child?.kill()
  }

  #watch(again = false): void {
    const child = spawnMonitor()
    this.#child = child
    child?.stdout?.on('data', () => {
      this.#retryMs = FIRST_RETRY_MS
      this.#changed()
    })
    child?.once('spawn', () => {
      if (again) this.#changed() // what happened in between was not seen
    })
    child?.once('error', () => this.#ended(child))
    child?.once('exit', () => this.#ended(child))
    if (!child) this.#ended(child)
  }

  /** The timer runs from the first change, not the last: a storm of them must not silence it for ever. */
  #changed(): void {
    if (this.#stopped || this.#settling) return
    this.#settling = setTimeout(() => {
      this.#settling = undefined
      this.#onChange()
    }, SETTLE_MS).unref()
  }

  #ended(child: ChildProcess | undefined): void {
    if (this.#stopped || this.#child !== child) return
    this.#child = undefined
    clearTimeout(this.#retrying)
    this.#retrying = setTimeout(() => this.#watch(true), this.#retryMs).unref()
    this.#retryMs = Math.min(this.#retryMs * 2, LAST_RETRY_MS)
  }
}

/** undefined where the system cannot make a process just now; a missing command comes as 'error'. */
function spawnMonitor(): ChildProcess | undefined {
  try {
    const child = spawn('ip', ['-o', 'monitor', 'link', 'address', 'route'], { stdio: ['ignore', 'pipe', 'ignore'] })
    child.unref()
    // A pipe is a net.Socket underneath and holds the event loop on its own; out of descriptors there is none.
    ;(child.stdout as unknown as { unref(): void } | undefined)?.unref()
    return child
  } catch {
    return undefined
  }
}
