// What all underlay ports say of their peers' ways, and are told of them: io/peer-ways.ts keeps it.

import type { Address } from '../sys/address.js'
import type { PeerWay, PeerWays } from './peer-ways.js'

export abstract class UnderlayPort {
  protected readonly ways: PeerWays

  constructor(ways: PeerWays) {
    this.ways = ways
  }

  /** MTU of the way to the first peer, in bytes. */
  get mtu(): number {
    return this.ways.mtu
  }

  get rooms(): Int32Array {
    return this.ways.rooms
  }

  get errors(): Int32Array {
    return this.ways.errors
  }

  get changes(): number {
    return this.ways.changes
  }

  look(): void {
    this.ways.look()
  }

  setLocal(local: Address): void {
    this.ways.setLocal(local)
  }

  setPeer(peer: number, way: PeerWay | undefined): void {
    this.ways.set(peer, way)
  }

  fragmentAt(peer: number, octets: number): void {
    this.ways.fragmentAt(peer, octets)
  }
}
