// poll(2) over the descriptors of a pump: overlay, underlay, waker, and where packets leave by another one, that. A negative descriptor is skipped by the kernel.
// An error or hang-up counts as readable: the read that follows reports it.

import { POLLFD } from '../sys/abi.js'
import { POLLERR, POLLHUP, POLLIN, POLLNVAL, POLLOUT } from '../sys/constants.js'
import { poll, pollLater, schedYield } from '../sys/libc.js'
import { slab } from '../sys/memory.js'

export const OVERLAY = 0
export const UNDERLAY = 1
export const WAKER = 2
export const SENDER = 3
const ENTRIES = 4

export class Poller {
  readonly #memory = slab(ENTRIES * POLLFD.size)

  constructor(overlay: number, underlay: number, waker: number, sender = underlay) {
    const { view } = this.#memory
    ;[overlay, underlay, waker, sender].forEach((fd, entry) => {
      view.setInt32(entry * POLLFD.size + POLLFD.at.fd.offset, fd, true)
      this.ask(entry, entry === SENDER ? 0 : POLLIN)
    })
  }

  /** What to wait for on an entry: POLLIN, POLLOUT, 0. Errors are always waited for. */
  ask(entry: number, events: number): void {
    this.#memory.view.setInt16(entry * POLLFD.size + POLLFD.at.events.offset, events, true)
  }

  /** Blocks this thread until something is ready, at most `milliseconds`; returns how many entries are. */
  wait(milliseconds: number): number {
    return poll(this.#memory.address, ENTRIES, milliseconds)
  }

  /**
   * Looks again and again for `microseconds`; whether anything became ready. In between it lets others have the core, or
   * on a machine with few of them the very process that would answer waits for us to sleep.
   */
  spin(microseconds: number): boolean {
    const until = performance.now() + microseconds / 1000
    do {
      if (this.wait(0) > 0) return true
      schedYield()
    } while (performance.now() < until)
    return false
  }

  /** Waits in libuv's pool instead. */
  waitLater(milliseconds: number, done: () => void): void {
    pollLater(this.#memory.address, ENTRIES, milliseconds, done)
  }

  readable(entry: number): boolean {
    return (this.#ready(entry) & (POLLIN | POLLERR | POLLHUP | POLLNVAL)) !== 0
  }

  writable(entry: number): boolean {
    return (this.#ready(entry) & (POLLOUT | POLLERR)) !== 0
  }

  #ready(entry: number): number {
    return this.#memory.view.getInt16(entry * POLLFD.size + POLLFD.at.revents.offset, true)
  }
}
