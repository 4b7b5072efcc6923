// The eventfd with which one thread wakes another out of poll(2).

import { EFD_CLOEXEC, EFD_NONBLOCK } from '../sys/constants.js'
import { check } from '../sys/fail.js'
import { close, eventfd, read, write } from '../sys/libc.js'
import { slab } from '../sys/memory.js'

export class Waker {
  readonly fd: number
  readonly #counter = slab(16)

  /** A new eventfd, or another thread's. */
  constructor(fd = check(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC), 'eventfd')) {
    this.fd = fd
    this.#counter.bytes[0] = 1
  }

  wake(): void {
    write(this.fd, this.#counter.address, 8)
  }

  /** Takes back the wake-ups so far. */
  clear(): void {
    read(this.fd, this.#counter.address + 8, 8)
  }

  close(): void {
    close(this.fd)
  }
}
