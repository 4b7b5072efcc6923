// What the process tells the service manager that started it (sd_notify(3)): ready, reloading, stopping, how it goes, and that
// it still turns. Without $NOTIFY_SOCKET nothing is told. Invariant: no child is given the variables, and nobody there to
// listen ends nothing.

import { isUnixAddress, sendUnixDatagram } from '../sys/unix-datagram.js'

/** systemd reads its socket as it comes to it; what it had no room for goes a little later, in the same order. */
const RETRY_MS = 100
/** Somebody who does not read for so many messages will not. */
const MOST_WAITING = 16

const VARIABLES = ['NOTIFY_SOCKET', 'WATCHDOG_USEC', 'WATCHDOG_PID'] as const

export class Readiness {
  readonly #socket: string | undefined
  readonly #watchdogMs: number | undefined
  readonly #warn: (message: string) => void
  #waiting: string[] = []
  #retry: NodeJS.Timeout | undefined
  #watchdog: NodeJS.Timeout | undefined
  #warned = false

  private constructor(socket: string | undefined, watchdogMs: number | undefined, warn: (message: string) => void) {
    this.#socket = socket
    this.#watchdogMs = watchdogMs
    this.#warn = warn
  }

  /** Reads the variables and removes them: a child that has them would speak for this process. */
  static take(warn: (message: string) => void, env: NodeJS.ProcessEnv = process.env): Readiness {
    const [socket, usec, pid] = VARIABLES.map((name) => env[name] || undefined)
    for (const name of VARIABLES) delete env[name]
    if (socket === undefined) return new Readiness(undefined, undefined, warn)
    if (isUnixAddress(socket)) return new Readiness(socket, watchdogMs(usec, pid), warn)
    warn(
      `NOTIFY_SOCKET ${JSON.stringify(socket)} is no path or @name of a Unix socket: the service manager is told nothing`,
    )
    return new Readiness(undefined, undefined, warn)
  }

  /** All is set up, at the start or after reloading. */
  ready(status: string): void {
    this.#tell(['READY=1', statusLine(status)])
  }

  /** How it goes, in a line for `systemctl status`. */
  status(text: string): void {
    this.#tell([statusLine(text)])
  }

  /** Until ready() is called again. The time tells systemd which of two reloads is meant. */
  reloading(): void {
    // Node's hrtime is CLOCK_MONOTONIC (uv_hrtime).
    this.#tell(['RELOADING=1', `MONOTONIC_USEC=${process.hrtime.bigint() / 1000n}`])
  }

  /** The end has begun; what is put back takes its time. The watchdog is fed on, whatever `alive` says: no pump turns now. */
  stopping(status = 'stopping'): void {
    this.#tell(['STOPPING=1', statusLine(status)])
    if (this.#watchdog) this.watch(() => true)
  }

  /** Feeds the watchdog, where the service manager keeps one, twice in its time for as long as `alive` says so. */
  watch(alive: () => boolean): void {
    clearInterval(this.#watchdog)
    if (this.#watchdogMs === undefined) return
    const feed = () => {
      if (alive()) this.#tell(['WATCHDOG=1'])
    }
    this.#watchdog = setInterval(feed, this.#watchdogMs / 2).unref()
    feed()
  }

  /** Nothing is told any more. */
  close(): void {
    clearInterval(this.#watchdog)
    clearTimeout(this.#retry)
    this.#waiting = []
  }

  #tell(lines: readonly string[]): void {
    if (this.#socket === undefined) return
    this.#waiting.push(lines.join('\n'))
    if (this.#waiting.length > MOST_WAITING) this.#waiting.shift()
    if (this.#retry === undefined) this.#send(this.#socket)
  }

  #send(socket: string): void {
    this.#retry = undefined
    for (let text = this.#waiting[0]; text !== undefined; text = this.#waiting[0]) {
      const failed = sendUnixDatagram(socket, text)
      if (failed === 'EAGAIN') {
        this.#retry = setTimeout(() => this.#send(socket), RETRY_MS).unref()
        return
      }
      this.#waiting.shift()
      if (failed) this.#complain(socket, failed)
    }
  }

  #complain(socket: string, errno: string): void {
    if (this.#warned) return
    this.#warned = true
    this.#warn(`the service manager does not hear this process (NOTIFY_SOCKET ${socket}: ${errno})`)
  }
}

/** undefined where no watchdog is kept, or over another process (sd_watchdog_enabled(3)). */
function watchdogMs(usec: string | undefined, pid: string | undefined): number | undefined {
  if (pid !== undefined && pid !== String(process.pid)) return undefined
  const ms = Number(usec) / 1000
  // A timer of Node's takes 31 bits.
  return ms > 0 ? Math.min(ms, 2 ** 31 - 1) : undefined
}

/** A line is a variable: two lines of status would be two. */
function statusLine(text: string): string {
  return `STATUS=${text.replace(/[\0\n]+/g, ' ')}`
}
