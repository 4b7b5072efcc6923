// Drives a pump on the program's own event loop, for ports that are made of events or of memory. Ports with a descriptor
// are waited for by poll(2) in libuv's pool: a pool thread blocked in fs.read on a TAP could not be cancelled, a poll is
// woken by the eventfd that lies in it.

import { OVERLAY, Poller, SENDER, UNDERLAY, WAKER } from '../io/poller.js'
import type { Port } from '../io/port.js'
import { Waker } from '../io/waker.js'
import { POLLIN, POLLOUT } from '../sys/constants.js'
import type { Engine, EngineListener } from './engine.js'
import type { Pump } from './pump.js'
import type { PumpCommand } from './pump-command.js'

const POLL_MS = 1000

export class LoopEngine implements Engine {
  readonly #pump: Pump
  readonly #ports: readonly [overlay: Port, underlay: Port]
  readonly #listener: EngineListener
  readonly #poll: { poller: Poller; waker: Waker } | undefined
  #timer: NodeJS.Timeout | undefined
  #dueAt = 0
  #scheduled = false
  #blockedAsked = false
  #stopped = false
  #polling: Promise<void> = Promise.resolve()

  /** `listener.failed` is called once, when a port is of no use any more. */
  constructor(pump: Pump, overlay: Port, underlay: Port, listener: EngineListener) {
    this.#pump = pump
    this.#ports = [overlay, underlay]
    this.#listener = listener
    if (overlay.fd >= 0 || underlay.fd >= 0) {
      const waker = new Waker()
      this.#poll = { waker, poller: new Poller(overlay.fd, underlay.fd, waker.fd) }
    }
  }

  async start(): Promise<void> {
    for (const port of this.#ports) port.watch?.(() => this.#schedule())
    if (this.#poll) this.#polling = this.#pollForEver(this.#poll.poller, this.#poll.waker)
    this.#schedule()
    this.#wait(performance.now())
  }

  /** Until something is due by the clock, which may be sooner than was known; the timer does not keep the program alive. */
  #wait(now: number): void {
    const dueAt = now + this.#pump.due(now)
    if (this.#stopped || (this.#timer && dueAt >= this.#dueAt)) return
    clearTimeout(this.#timer)
    this.#dueAt = dueAt
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      this.#turn()
    }, dueAt - now).unref()
  }

  #schedule(): void {
    if (this.#scheduled || this.#stopped) return
    this.#scheduled = true
    setImmediate(() => {
      this.#scheduled = false
      if (this.#stopped) return
      if (this.#turn()) this.#schedule()
      // The poll under way waits for what was wanted when it began: begin another one.
      if (this.#blockedAsked !== this.#pump.blocked) this.#poll?.waker.wake()
    })
  }

  /** Turns once; false when there was nothing to do, or when that was the end. */
  #turn(): boolean {
    const now = performance.now()
    try {
      const worked = this.#pump.turn(now)
      if (this.#pump.tick(now)) this.#listener.changed()
      this.#wait(now)
      return worked
    } catch (error) {
      if (!this.#stopped) this.#listener.failed(error)
      this.#stopped = true
      return false
    }
  }

  async #pollForEver(poller: Poller, waker: Waker): Promise<void> {
    while (!this.#stopped) {
      const { blocked } = this.#pump
      this.#blockedAsked = blocked
      poller.ask(OVERLAY, blocked ? 0 : POLLIN)
      poller.ask(SENDER, blocked ? POLLOUT : 0)
      await new Promise<void>((resolve) => poller.waitLater(POLL_MS, resolve))
      if (this.#stopped) break
      if (poller.readable(WAKER)) waker.clear()
      if (poller.readable(OVERLAY) || poller.readable(UNDERLAY) || poller.writable(SENDER)) this.#turn()
    }
  }

  command(command: PumpCommand): void {
    if (this.#stopped) return
    this.#pump.command(command)
    this.#schedule()
  }

  async stop(): Promise<void> {
    this.#stopped = true
    clearTimeout(this.#timer)
    this.#poll?.waker.wake()
    await this.#polling
    this.#poll?.waker.close()
  }
}
