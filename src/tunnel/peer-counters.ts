// What the pump tells of each peer, in memory that both threads see: one writer, plain doubles, a column for each thing.
// Times are of the pump's clock, in milliseconds; `epoch` says when that began. -1 is "never".

import { type DropCounters, dropsByReason, MOST_PEERS, retireDrops } from '../drops.js'
import { errnoName } from '../sys/errno.js'
import { ETH_HLEN } from '../wire/ethernet.js'
import type { Liveness, PeerStats, WrongKey } from './peer-stats.js'

const COLUMNS = 12
/** Of frames and their bytes. */
const PAIRS = 2
/** So many wrong keys of a peer are told apart; where more come, the one that came longest ago gives way. */
const WRONG_KEYS = 16
/** Stands for no key, beside keys as signed numbers. */
const KEYLESS = 2 ** 32

/** Bytes of shared memory that PeerCounters needs. */
export const PEER_COUNTER_BYTES =
  (2 + (COLUMNS + 2 * PAIRS + 2 * WRONG_KEYS) * MOST_PEERS) * Float64Array.BYTES_PER_ELEMENT

const NEVER = -1

export const LIVENESS = ['unknown', 'up', 'down'] as const satisfies readonly Liveness[]

/** What the program itself knows of a peer. */
export interface PeerIdentity {
  readonly peer: number
  readonly remote: string
  readonly keyOut: number | undefined
  readonly keyIn: number | undefined
}

export class PeerCounters {
  /** Frames sent at 2 · peer, bytes behind them. */
  readonly sent: Float64Array
  /** Frames delivered, likewise. */
  readonly received: Float64Array
  /** When the peer with this number was given it. */
  readonly beganAt: Float64Array
  /** When the last good packet came. */
  readonly heardAt: Float64Array
  /** WRONG_KEYS of each peer: bits as a signed number, or KEYLESS; and when each came last. */
  readonly wrongKeys: Float64Array
  readonly wrongKeyAt: Float64Array
  /** Which of them came last: packets of one batch have one time. */
  readonly wrongKeyLast: Float64Array
  /** When a packet last came without the checksum that is required, or with the one that is forbidden. */
  readonly unruledAt: Float64Array
  /** An errno; less than 0 where this host itself says so. */
  readonly error: Float64Array
  readonly errorAt: Float64Array
  /** UNKNOWN, UP or DOWN of keepalive.ts: position in LIVENESS. */
  readonly liveness: Float64Array
  /** Milliseconds, and a share; NaN where unknown. */
  readonly rtt: Float64Array
  readonly loss: Float64Array
  /** The longest frame that fits, and the longest of which the kernel says that it does, in octets. */
  readonly longest: Float64Array
  readonly ceiling: Float64Array
  readonly blocked: Float64Array
  readonly #epoch: Float64Array

  constructor(memory: SharedArrayBuffer, offset: number) {
    let at = offset
    const next = (length: number) => {
      const column = new Float64Array(memory, at, length)
      at += column.byteLength
      return column
    }
    this.#epoch = next(2)
    this.sent = next(2 * MOST_PEERS)
    this.received = next(2 * MOST_PEERS)
    this.beganAt = next(MOST_PEERS)
    this.heardAt = next(MOST_PEERS)
    this.wrongKeys = next(WRONG_KEYS * MOST_PEERS)
    this.wrongKeyAt = next(WRONG_KEYS * MOST_PEERS)
    this.wrongKeyLast = next(MOST_PEERS)
    this.unruledAt = next(MOST_PEERS)
    this.error = next(MOST_PEERS)
    this.errorAt = next(MOST_PEERS)
    this.liveness = next(MOST_PEERS)
    this.rtt = next(MOST_PEERS)
    this.loss = next(MOST_PEERS)
    this.longest = next(MOST_PEERS)
    this.ceiling = next(MOST_PEERS)
    this.blocked = next(MOST_PEERS)
  }

  /** Milliseconds since the epoch at which the pump's clock was 0; the pump's thread sets it. */
  set epoch(milliseconds: number) {
    this.#epoch[0] = milliseconds
  }

  /** The pump's clock now. */
  get now(): number {
    return performance.timeOrigin + performance.now() - this.#epoch[0]
  }

  /** Nothing has happened with any peer yet. */
  clear(): void {
    for (const column of [this.heardAt, this.wrongKeyAt, this.unruledAt, this.errorAt]) column.fill(NEVER)
    for (let peer = 0; peer < MOST_PEERS; peer++) this.wrongKeyLast[peer] = WRONG_KEYS * peer
  }

  /** Begins anew with peer `peer`; its drops go on to count for all. */
  reset(peer: number, drops: DropCounters): void {
    retireDrops(drops, peer)
    for (const column of [this.liveness, this.blocked, this.longest, this.ceiling]) column[peer] = 0
    this.beganAt[peer] = this.now
    for (const column of [this.heardAt, this.unruledAt, this.errorAt]) column[peer] = NEVER
    this.wrongKeyAt.fill(NEVER, WRONG_KEYS * peer, WRONG_KEYS * (peer + 1))
    this.wrongKeyLast[peer] = WRONG_KEYS * peer
    for (const pairs of [this.sent, this.received]) pairs.fill(0, 2 * peer, 2 * peer + 2)
    this.rtt[peer] = Number.NaN
    this.loss[peer] = Number.NaN
  }

  /** `key` as a signed number, which V8 does not box. */
  noteWrongKey(peer: number, present: boolean, key: number, now: number): void {
    const value = present ? key : KEYLESS
    const first = WRONG_KEYS * peer
    let slot = first
    for (let i = first; i < first + WRONG_KEYS; i++) {
      const known = this.wrongKeyAt[i] !== NEVER && this.wrongKeys[i] === value
      if (known || this.wrongKeyAt[i] < this.wrongKeyAt[slot]) slot = i
      if (known) break
    }
    this.wrongKeys[slot] = value
    this.wrongKeyAt[slot] = now
    this.wrongKeyLast[peer] = slot
  }

  noteError(peer: number, error: number, now: number): void {
    this.error[peer] = error
    this.errorAt[peer] = now
  }

  snapshot({ peer, remote, keyOut, keyIn }: PeerIdentity, drops: DropCounters, fdbEntries: number): PeerStats {
    const wrongKeys = this.#wrongKeysOf(peer)
    return {
      remote,
      since: this.#time(this.beganAt[peer]) ?? 0,
      txFrames: this.sent[2 * peer],
      txBytes: this.sent[2 * peer + 1],
      rxFrames: this.received[2 * peer],
      rxBytes: this.received[2 * peer + 1],
      drops: dropsByReason(drops, peer),
      liveness: LIVENESS[this.liveness[peer]] ?? 'unknown',
      blocked: this.blocked[peer] === 1,
      lastReceived: this.#time(this.heardAt[peer]),
      rtt: known(this.rtt[peer]),
      loss: known(this.loss[peer]),
      tunnelMtu: this.longest[peer] - ETH_HLEN,
      pathTunnelMtu: this.ceiling[peer] - ETH_HLEN,
      keyOut,
      keyIn,
      lastWrongKey: wrongKeys[0]?.key,
      lastWrongKeyAt: wrongKeys[0]?.at,
      wrongKeys,
      lastUnruledAt: this.#time(this.unruledAt[peer]),
      lastError: this.errorAt[peer] === NEVER ? undefined : errnoName(Math.abs(this.error[peer])),
      lastErrorHere: this.errorAt[peer] !== NEVER && this.error[peer] < 0,
      lastErrorAt: this.#time(this.errorAt[peer]),
      fdbEntries,
    }
  }

  /** The last wrong key that came from any peer. */
  lastWrongKey(): number | 'none' | undefined {
    const at = (peer: number) => this.wrongKeyAt[this.wrongKeyLast[peer]]
    const newest = this.heardAt.reduce((last, _, peer) => (at(peer) > at(last) ? peer : last), 0)
    return this.#wrongKeysOf(newest)[0]?.key
  }

  /** The newest first. */
  #wrongKeysOf(peer: number): WrongKey[] {
    const at = this.wrongKeyAt
    const last = this.wrongKeyLast[peer]
    const slots = Array.from({ length: WRONG_KEYS }, (_, i) => WRONG_KEYS * peer + i).filter((i) => at[i] !== NEVER)
    slots.sort((a, b) => at[b] - at[a] || Number(b === last) - Number(a === last))
    return slots.map((i) => {
      const value = this.wrongKeys[i]
      return { key: value === KEYLESS ? 'none' : value >>> 0, at: this.#time(at[i]) ?? 0 }
    })
  }

  #time(at: number): number | undefined {
    return at === NEVER ? undefined : Math.round(this.#epoch[0] + at)
  }
}

function known(value: number): number | undefined {
  return Number.isNaN(value) ? undefined : value
}
