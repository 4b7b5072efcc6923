// A port carries batches: the overlay port frames, the underlay port packets. Real ones stand on a file descriptor,
// memory ones on each other. A port never throws for a packet: it counts a drop. It throws a SystemError only when its
// descriptor is of no use any more, and that ends the tunnel.

import type { DropCounters } from '../drops.js'
import type { Offload } from '../offload/gso.js'
import type { Address } from '../sys/address.js'
import type { Batch } from './batch.js'
import type { PeerWay } from './peer-ways.js'

export interface Port {
  /** What the pump polls; -1 where there is nothing to poll, and `watch` tells instead. */
  readonly fd: number
  /** What the pump waits on for room to write, where that is another one. */
  readonly sendFd?: number
  /** Largest layer-3 payload the port takes, in bytes. */
  readonly mtu: number
  /** Of an underlay, by peer: bytes of GRE and frame that fit one packet now; frames are cut to it. Absent: `mtu`. */
  readonly rooms?: Int32Array
  /** Of an underlay: grows whenever one of `rooms` changes. */
  readonly changes?: number
  /** Of an underlay: sees anew how much that is. Called now and then; also after what is sent was refused as too large. */
  look?(): void
  /** Of an underlay: packets to `peer` that may be fragmented, and have more than `octets` of GRE and frame, go in fragments no larger. */
  fragmentAt?(peer: number, octets: number): void
  /** Of an underlay: where packets to peer `peer` go, and come from, from now on; undefined takes it away. */
  setPeer?(peer: number, way: PeerWay | undefined): void
  /** Of an underlay: packets leave from another address of this host from now on. */
  setLocal?(local: Address): void
  /** Of an underlay, by peer: the errno that ICMP told last of packets to it, less than 0 where this host itself said so; whoever takes it sets it back to 0. */
  readonly errors?: Int32Array
  /** Of an underlay: gives back what it opened by itself, and leaves the descriptors it was made with. */
  release?(): void
  /** Of an overlay: whether its other side is to see a carrier. */
  setCarrier?(on: boolean): void
  /** Of an overlay: what it takes and gives besides whole frames. Absent: nothing. */
  readonly offload?: Offload

  /** Clears `into`, fills it with what is there, without waiting; returns the number of entries. They are borrowed. */
  read(into: Batch, drops: DropCounters): number

  /**
   * Writes the entries from `head` on and moves `head` past what was sent (counted in `from.sent`) or dropped. An entry is
   * its header, if it has one, and what it has in memory; an overlay with offload also minds `joined` and the gso columns.
   * A `head` short of `count` afterwards means that the queue is full: poll for POLLOUT, or wait for `wake`.
   */
  write(from: Batch, drops: DropCounters): void

  /** Calls `wake` whenever there may be something to read or room to write; for ports without a descriptor. */
  watch?(wake: () => void): void

  /** Gives everything back. Idempotent. */
  close(): void
}
