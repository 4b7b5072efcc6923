// Asks the other host, in one short frame of tsgre's own kind, whether it is there, and listens for a moment: to its answer, to
// what ICMP says, and to whatever GRE it sends besides. Invariant: nothing is sent but questions, to the remote alone, and nothing
// is heard but what comes from there.

import { performance } from 'node:perf_hooks'
import { type IcmpError, readIcmpErrors } from '../../io/icmp-errors.js'
import { ReceiveVector } from '../../io/receive-vector.js'
import { POLLFD } from '../../sys/abi.js'
import { MSG_DONTWAIT, POLLIN } from '../../sys/constants.js'
import { ERRNO, errnoName } from '../../sys/errno.js'
import { close, errno, pollLater, recvmmsg, write } from '../../sys/libc.js'
import { slab } from '../../sys/memory.js'
import { openQuestionSocket } from './open-question-socket.js'
import { type Came, makeQuestion, type Question, readPacket } from './question.js'
import type { Subject, Target } from './subject.js'
import type { Way } from './way-checks.js'

/** When questions go out, in milliseconds; the last with the other choice of checksum. */
const ASKED_AT = [0, 300, 600]
const LISTENED_MS = 1500
/** What an answer may bring beside it, and an ICMP error after others. */
const LINGER_MS = 50
const PACKET_BYTES = 65536
const MOST_PACKETS = 5000
const MOST_FAILURES = 16

export interface Exchange {
  /** The answer, and how long it took in milliseconds. */
  readonly answer: { readonly question: Question; readonly milliseconds: number } | undefined
  readonly icmp: readonly IcmpError[]
  /** Packets of the remote's, answers included. */
  readonly came: readonly Came[]
  /** Why nothing could be sent, as an errno's name. */
  readonly refused: string | undefined
  /** False where another socket has the UDP port: an answer would go there. */
  readonly listens: boolean
}

export async function exchange(subject: Subject, target: Target, way: Way): Promise<Exchange> {
  const { fd, listens } = openQuestionSocket(subject, target, way)
  try {
    return await new Conversation(fd, listens, subject, target).run()
  } finally {
    close(fd)
  }
}

class Conversation {
  readonly #fd: number
  readonly #listens: boolean
  readonly #subject: Subject
  readonly #target: Target
  readonly #memory = slab(PACKET_BYTES)
  readonly #packet: ReceiveVector
  readonly #poll = slab(POLLFD.size)
  readonly #questions: Question[] = []
  readonly #icmp: IcmpError[] = []
  readonly #came: Came[] = []
  #answer: Exchange['answer']
  #refused: string | undefined

  constructor(fd: number, listens: boolean, subject: Subject, target: Target) {
    this.#fd = fd
    this.#packet = new ReceiveVector(1, target.address.family, { names: true, controls: false })
    this.#packet.setPayload(0, this.#memory.address, PACKET_BYTES)
    this.#listens = listens
    this.#subject = subject
    this.#target = target
  }

  async run(): Promise<Exchange> {
    const start = performance.now()
    let end = start + LISTENED_MS
    for (let now = start; now < end; now = performance.now()) {
      const next = ASKED_AT[this.#questions.length]
      if (next !== undefined && now >= start + next) this.#ask(now)
      const until = next === undefined ? end : Math.min(end, start + (ASKED_AT[this.#questions.length] ?? LISTENED_MS))
      await this.#wait(Math.min(100, Math.max(1, until - performance.now())))
      this.#hear()
      // An answer, or a host that says no, settles it; one that says nothing may still send.
      if (this.#answer || this.#icmp.length > 0) end = Math.min(end, performance.now() + LINGER_MS)
      if (this.#refused) break
    }
    return { answer: this.#answer, icmp: this.#icmp, came: this.#came, refused: this.#refused, listens: this.#listens }
  }

  #ask(now: number): void {
    const last = this.#questions.length === ASKED_AT.length - 1
    const { keyOut, checksum } = this.#target
    const question = makeQuestion(this.#memory, keyOut, last ? !checksum : checksum, now)
    this.#questions.push(question)
    if (write(this.#fd, this.#memory.address + question.offset, question.length) >= 0) return
    const error = errno()
    // What ICMP said of an earlier one stands in the queue too, and is read from there.
    if (readIcmpErrorsInto(this.#fd, this.#icmp) === 0) this.#refused = errnoName(error)
  }

  async #wait(milliseconds: number): Promise<void> {
    this.#poll.view.setInt32(POLLFD.at.fd.offset, this.#fd, true)
    this.#poll.view.setInt16(POLLFD.at.events.offset, POLLIN, true)
    await new Promise<void>((resolve) => pollLater(this.#poll.address, 1, Math.ceil(milliseconds), () => resolve()))
  }

  #hear(): void {
    // An error that ICMP brought fails the next read once, and stands in the queue besides.
    for (let failures = 0; failures < MOST_FAILURES && this.#came.length < MOST_PACKETS; ) {
      this.#packet.reset(1)
      if (recvmmsg(this.#fd, this.#packet.address, 1, MSG_DONTWAIT, 0) > 0) this.#take(this.#packet.lengthOf(0))
      else if (errno() === ERRNO.EAGAIN) break
      else failures++
    }
    readIcmpErrorsInto(this.#fd, this.#icmp)
  }

  #take(length: number): void {
    if (!this.#packet.isFrom(0, this.#target.address.bytes)) return
    const hasHeader = this.#target.address.family === 4 && this.#subject.udpPort === undefined
    const came = readPacket(this.#memory, length, hasHeader)
    if (!came) return
    this.#came.push(came)
    const question = this.#questions.find(
      ({ nonce }) => came.answers?.[0] === nonce[0] && came.answers?.[1] === nonce[1],
    )
    if (question && !this.#answer) this.#answer = { question, milliseconds: performance.now() - question.askedAt }
  }
}

/** Returns how many there were. */
function readIcmpErrorsInto(fd: number, into: IcmpError[]): number {
  const errors = readIcmpErrors(fd)
  into.push(...errors)
  return errors.length
}
