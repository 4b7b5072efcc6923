// The frames that this tsgre itself says to its peers, until the pump sends them: questions and answers (wire/probe-frame.ts).
// One for all peers. What finds no room is not said, and asked again later.

import { Batch, HEADROOM } from '../io/batch.js'
import { slab } from '../sys/memory.js'
import { ANSWER, ASK, emitProbe, type ProbeFrame, probeFrame } from '../wire/probe-frame.js'

const CAPACITY = 160
/** Room for the questions of a peer: answers, of which anybody may ask for many, leave it free. */
const QUESTIONS = 24
const SLOT = 65536 + 256

export class ProbeBatch {
  /** Frames to be sent now, each to its peer; whoever sends them clears it. */
  readonly batch = new Batch(0, CAPACITY, { memory: slab(CAPACITY * SLOT) })
  readonly #told = probeFrame()

  /** Whether little room is left. */
  get isFilling(): boolean {
    return this.batch.count > CAPACITY / 2
  }

  /** Asks `peer` whether a frame of `size` octets arrives; false where there is no room now. */
  ask(peer: number, size: number, nonce0: number, nonce1: number): boolean {
    return this.#say(peer, ASK, size, nonce0, nonce1)
  }

  /** Tells `peer` that its question `heard` has arrived. */
  answer(peer: number, heard: ProbeFrame): void {
    if (this.batch.count < CAPACITY - QUESTIONS) this.#say(peer, ANSWER, heard.size, heard.nonce0, heard.nonce1)
  }

  #say(peer: number, kind: number, size: number, nonce0: number, nonce1: number): boolean {
    const { batch } = this
    if (batch.count === batch.capacity) return false
    const told = this.#told
    told.kind = kind
    told.size = size
    told.nonce0 = nonce0
    told.nonce1 = nonce1
    const at = batch.count * SLOT + HEADROOM
    batch.offset[batch.count] = at
    batch.length[batch.count] = emitProbe(batch.memory.bytes, at, told)
    batch.peer[batch.count] = peer
    batch.setWhole(batch.count++)
    return true
  }
}
