// The arrays of a sendmmsg(2) over UDP: every message goes to its remote, is made of any run of pieces, and may be cut
// by the kernel into datagrams of one size (UDP_SEGMENT). Wired once; per call only what differs is written.
// Control buffer i holds three messages in a fixed order, UDP_SEGMENT, TOS, TTL: where it begins and ends decides which count.

import { CMSGHDR, MMSGHDR, MSGHDR } from '../sys/abi.js'
import {
  IP_TOS,
  IP_TTL,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPPROTO_UDP,
  IPV6_HOPLIMIT,
  IPV6_TCLASS,
  UDP_SEGMENT,
} from '../sys/constants.js'
import { putPointer, type Slab, slab } from '../sys/memory.js'
import { PieceList } from './piece-list.js'

const MESSAGE_BYTES = MMSGHDR.size
const CONTROL_BYTES = 24 // CMSG_SPACE of an int and of a 16-bit number alike
const CONTROLS = 3

export class UdpSendVector {
  readonly address: number
  readonly #memory: Slab
  readonly #controls: number
  readonly #pieces: PieceList
  #usedPieces = 0

  /** For up to `capacity` messages, and two pieces for each. */
  constructor(capacity: number, family: 4 | 6) {
    this.#pieces = new PieceList(capacity * 2)
    this.#controls = capacity * MESSAGE_BYTES
    this.#memory = slab(this.#controls + capacity * CONTROLS * CONTROL_BYTES)
    this.address = this.#memory.address
    for (let i = 0; i < capacity; i++) this.#wire(i, family)
  }

  #wire(i: number, family: 4 | 6): void {
    const { view } = this.#memory
    const level = family === 4 ? IPPROTO_IP : IPPROTO_IPV6
    const kinds = [
      [IPPROTO_UDP, UDP_SEGMENT, 2],
      [level, family === 4 ? IP_TOS : IPV6_TCLASS, 4],
      [level, family === 4 ? IP_TTL : IPV6_HOPLIMIT, 4],
    ] as const
    kinds.forEach(([ofLevel, type, size], index) => {
      const at = this.#controlOf(i) + index * CONTROL_BYTES
      putPointer(view, at + CMSGHDR.at.cmsg_len.offset, CMSGHDR.size + size)
      view.setInt32(at + CMSGHDR.at.cmsg_level.offset, ofLevel, true)
      view.setInt32(at + CMSGHDR.at.cmsg_type.offset, type, true)
    })
  }

  #controlOf(i: number): number {
    return this.#controls + i * CONTROLS * CONTROL_BYTES
  }

  /** Forgets all pieces. */
  clear(): void {
    this.#usedPieces = 0
  }

  /** Begins message i, to the sockaddr of `nameLength` bytes at `name`: the pieces added next are its. */
  begin(i: number, name: number, nameLength: number): void {
    const at = i * MESSAGE_BYTES
    putPointer(this.#memory.view, at + MSGHDR.at.msg_name.offset, name)
    this.#memory.view.setUint32(at + MSGHDR.at.msg_namelen.offset, nameLength, true)
    putPointer(this.#memory.view, at + MSGHDR.at.msg_iov.offset, this.#pieces.addressOf(this.#usedPieces))
    this.#memory.view.setUint32(at + MSGHDR.at.msg_iovlen.offset, 0, true)
  }

  /** Adds `length` bytes at `address` to message i, the one begun last. */
  add(i: number, address: number, length: number): void {
    this.#pieces.set(this.#usedPieces++, address, length)
    const at = i * MESSAGE_BYTES + MSGHDR.at.msg_iovlen.offset
    const { view } = this.#memory
    view.setUint32(at, view.getUint32(at, true) + 1, true)
  }

  /** Ends message i: cut to `segment` bytes unless that is 0, with TOS and TTL unless they are the socket's own. */
  end(i: number, segment: number, ownTos: boolean, tos: number, ttl: number): void {
    const { view, address } = this.#memory
    const controls = this.#controlOf(i)
    const first = segment === 0 ? 1 : 0
    const last = ownTos && ttl === 0 ? 1 : ttl === 0 ? 2 : 3
    view.setUint16(controls + CMSGHDR.size, segment, true)
    view.setInt32(controls + CONTROL_BYTES + CMSGHDR.size, tos, true)
    view.setInt32(controls + 2 * CONTROL_BYTES + CMSGHDR.size, ttl, true)
    const at = i * MESSAGE_BYTES
    putPointer(view, at + MSGHDR.at.msg_control.offset, address + controls + first * CONTROL_BYTES)
    view.setUint32(at + MSGHDR.at.msg_controllen.offset, (last - first) * CONTROL_BYTES, true)
  }
}
