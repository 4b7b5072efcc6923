// Starts, pauses and stops the pump's thread from the program's side.

import { MessageChannel, Worker } from 'node:worker_threads'
import { StateError, SystemError } from '../errors.js'
import type { TapPort } from '../io/tap.js'
import { Waker } from '../io/waker.js'
import type { Engine, EngineListener } from './engine.js'
import type { PumpCommand } from './pump-command.js'
import {
  CONTROL_WORDS,
  type PumpThreadData,
  type PumpThreadMessage,
  STOP,
  type UnderlayHandle,
} from './pump-control.js'
import type { PumpSettings } from './settings.js'
import type { Counters } from './stats.js'

// process.exit() and an uncaught error join every thread: each must be woken, or the exit takes until poll's next return.
const running = new Set<ThreadEngine>()
function stopAll(): void {
  for (const engine of running) engine.signalStop()
}

export class ThreadEngine implements Engine {
  readonly #waker = new Waker()
  readonly #control = new Int32Array(new SharedArrayBuffer(CONTROL_WORDS * Int32Array.BYTES_PER_ELEMENT))
  readonly #commands = new MessageChannel()
  readonly #worker: Worker
  readonly #exited: Promise<void>
  readonly #up: Promise<void>

  /** `listener.failed` is called once, when the thread ended by itself after start(). */
  constructor(
    tap: TapPort,
    socket: UnderlayHandle,
    settings: PumpSettings,
    busyPoll: number,
    counters: Counters,
    listener: EngineListener,
  ) {
    const workerData: PumpThreadData = {
      tap: { fd: tap.fd, name: tap.name, mtu: tap.mtu, offload: tap.offload },
      socket,
      wakerFd: this.#waker.fd,
      settings,
      busyPoll,
      counters: counters.memory,
      fdb: counters.fdb,
      commands: this.#commands.port2,
      control: this.#control.buffer as SharedArrayBuffer,
    }
    this.#commands.port1.unref()
    // The program's own flags (--import, --inspect) are not the pump's.
    this.#worker = new Worker(new URL('./pump-thread.js', import.meta.url), {
      workerData,
      transferList: [this.#commands.port2],
      execArgv: [],
      name: 'tsgre',
    })
    let up: () => void
    let broken: (error: Error) => void
    this.#up = new Promise((resolve, reject) => {
      up = resolve
      broken = reject
    })
    this.#up.catch(() => {}) // whoever awaits start() sees it; nobody else has to
    let isUp = false
    // Who waits for start() is told by it, and by it alone: nobody could listen to the tunnel yet.
    const fail = (error: SystemError | StateError) => {
      if (!isUp) broken(error)
      else if (Atomics.load(this.#control, STOP) === 0) listener.failed(error)
    }
    this.#worker.on('message', (message: PumpThreadMessage) => {
      if ('up' in message) {
        isUp = true
        up()
      } else if ('changed' in message) listener.changed()
      else
        fail(new SystemError(message.failed.code, { syscall: message.failed.syscall, ...hintOf(message.failed.hint) }))
    })
    this.#worker.on('error', (cause) => {
      fail(new StateError('TSGRE_PUMP_DIED', `the pump's thread died: ${cause.message}`, { cause }))
    })
    this.#exited = new Promise((resolve) => this.#worker.once('exit', () => resolve()))
    if (running.size === 0) process.on('exit', stopAll)
    running.add(this)
  }

  start(): Promise<void> {
    return this.#up
  }

  command(command: PumpCommand): void {
    this.#commands.port1.postMessage(command)
    this.#waker.wake()
  }

  /** Tells the thread to end, without waiting for it. */
  signalStop(): void {
    Atomics.store(this.#control, STOP, 1)
    this.#waker.wake()
  }

  async stop(): Promise<void> {
    this.signalStop()
    await this.#exited
    running.delete(this)
    if (running.size === 0) process.off('exit', stopAll)
    this.#commands.port1.close()
    this.#waker.close()
  }
}

function hintOf(hint: string | undefined): { hint?: string } {
  return hint ? { hint } : {}
}
