// Random traffic as it may come from the underlay: segments of several flows with gaps, doubles, late ones, corrupt ones,
// and whatever else there is between them. The same for each seed.

import { ACK, ECE, FIN, type Inner, innerFrame, PSH, RST, SYN, TIMESTAMPS, UDP } from './flows.js'
import { DOT1Q, ETH_P_ARP, ethernet, QINQ } from './frames.js'
import type { Random } from './random.js'

/** Flows that differ in much, and two in one port only. Those of id 0 and DF give every packet the same id. */
export const FLOWS: readonly Inner[] = [
  { sourcePort: 40000, id: 5000, sequence: 0xffff_8000 },
  { sourcePort: 40001, id: 6000, options: TIMESTAMPS, df: false },
  { sourcePort: 40002, id: 0, tags: [DOT1Q], sequence: 0x7fff_f000 },
  { version: 6, sourcePort: 40003, options: TIMESTAMPS },
  { version: 6, protocol: UDP, sourcePort: 40004, tags: QINQ },
  { protocol: UDP, sourcePort: 40005, id: 7000, df: false },
  { protocol: UDP, sourcePort: 40006, id: 0 },
]

export interface Faults {
  /** One frame in so many has a fault or is of a special kind. */
  every: number
  /** Whether octets in front of the payload may be corrupt, too, so that a frame turns into anything. */
  anywhere: boolean
}

/** Makes lists of frames; flows go on from one list to the next. */
export class Traffic {
  readonly #dice: Random
  readonly #faults: Faults
  readonly #flows: Inner[]
  readonly #sizes: number[]

  constructor(dice: Random, faults: Faults) {
    this.#dice = dice
    this.#faults = faults
    this.#flows = FLOWS.map((inner) => ({ ...inner }))
    this.#sizes = FLOWS.map(() => 1 + dice.below(120))
  }

  /** So many frames. */
  list(count: number): Uint8Array[] {
    const { below, oneIn } = this.#dice
    const frames: Uint8Array[] = []
    while (frames.length < count) {
      const flow = below(FLOWS.length)
      const run = 1 + below(oneIn(3) ? 20 : 3) // several of a flow in a row, or just some
      for (let i = 0; i < run && frames.length < count; i++) {
        frames.push(oneIn(this.#faults.every) ? this.#odd(flow, frames) : innerFrame(this.#next(flow)))
      }
    }
    this.#reorder(frames)
    return frames
  }

  /** The next segment or datagram of a flow. */
  #next(flow: number): Inner {
    const { oneIn, below, bytes } = this.#dice
    const state = this.#flows[flow]
    if (oneIn(40)) this.#sizes[flow] = 1 + below(120)
    const payload = bytes(oneIn(12) ? 1 + below(this.#sizes[flow]) : this.#sizes[flow])
    const flags = oneIn(10) ? ACK | PSH : oneIn(60) ? ACK | FIN : ACK
    const inner = { ...state, payload, flags }
    this.#advance(state, payload.length)
    return inner
  }

  #advance(state: Inner, octets: number): void {
    state.sequence = ((state.sequence ?? 0) + octets) >>> 0
    // Never near those that stand still, and never the same again within a list.
    if (state.id) state.id = state.id === 60000 ? 5000 : state.id + 1
  }

  /** Whatever is not simply the next of its flow. */
  #odd(flow: number, before: readonly Uint8Array[]): Uint8Array {
    const { below, bytes } = this.#dice
    const inner = this.#next(flow)
    const kinds: (() => Uint8Array)[] = [
      () => (before.length > 0 ? before[below(before.length)] : innerFrame(inner)), // comes twice
      () => innerFrame(this.#next(flow)), // a gap in front of it
      () => this.#corrupt(innerFrame(inner), inner.payload?.length ?? 0),
      () => innerFrame({ ...inner, ...this.#otherHeader() }),
      () => innerFrame({ ...inner, payload: new Uint8Array() }),
      () => innerFrame({ ...inner, padding: [...bytes(1 + below(9))] }),
      () => innerFrame({ ...inner, checksum: inner.protocol === UDP ? 'none' : 'right', flags: ACK | RST }),
      () => innerFrame({ ...inner, checksum: 'partial', payload: bytes(1 + below(900)) }),
      () => fragment(innerFrame({ ...inner, version: 4, tags: [] }), below(3)),
      () => innerFrame({ ...inner, version: 6, extensions: [[[0, 43, 44, 60][below(4)], [...bytes(6)]]] }),
      () => innerFrame(inner).slice(0, below(80)),
      () => ethernet(ETH_P_ARP, bytes(28)),
      () => innerFrame({ ...inner, protocol: [1, 47, 58, 132][below(4)] }),
      () => bytes(below(200)),
    ]
    return kinds[below(kinds.length)]()
  }

  #otherHeader(): Inner {
    const other: Inner[] = [{ tos: 3 }, { ttl: 9 }, { window: 1 }, { acknowledgment: 0xf000_0000 }, { urgent: 1 }]
    other.push({ flags: ACK | SYN }, { flags: ACK | ECE }, { options: [1, 1, 1, 1] }, { sourceMac: [2, 0, 0, 0, 0, 9] })
    return other[this.#dice.below(other.length)]
  }

  #corrupt(frame: Uint8Array, payload: number): Uint8Array {
    const { below, oneIn } = this.#dice
    const from = this.#faults.anywhere && oneIn(2) ? 0 : frame.length - payload
    frame[from + below(frame.length - from)] ^= 1 << below(8)
    return frame
  }

  /** Lets some change places. */
  #reorder(frames: Uint8Array[]): void {
    const { below, oneIn } = this.#dice
    for (let i = 1; i < frames.length; i++) {
      if (!oneIn(this.#faults.every)) continue
      const with_ = Math.max(0, i - 1 - below(4))
      ;[frames[i], frames[with_]] = [frames[with_], frames[i]]
    }
  }
}

/** Made a first, a middle or a last fragment. */
function fragment(frame: Uint8Array, kind: number): Uint8Array {
  frame[20] = kind < 2 ? 0x20 : 0
  frame[21] = kind > 0 ? 4 : 0
  return frame
}
