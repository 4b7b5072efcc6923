// What the program asks of a running pump: plain data, so that it can travel to the pump's thread.

import type { PeerWay } from '../io/peer-ways.js'
import type { Address } from '../sys/address.js'
import type { PeerSettings } from './settings.js'

export type PumpCommand =
  /** Number `peer` is this one from now on; without settings and way nobody is. */
  | {
      readonly kind: 'peer'
      readonly peer: number
      readonly settings: PeerSettings | undefined
      readonly way: PeerWay | undefined
    }
  /** Send nothing to this peer, or to all, since its packets would come back as frames; or do so again. */
  | { readonly kind: 'pause'; readonly peer: number | undefined; readonly paused: boolean }
  /** The tunnel's own outer address is another one; the sockets have it already. */
  | { readonly kind: 'local'; readonly local: Address }
  /** Write what is carried into this ring, until its reader lets go of it; without one, look which readers have. */
  | { readonly kind: 'capture'; readonly ring: SharedArrayBuffer | undefined }
  /** Forget what was learnt of a port, or of all. */
  | { readonly kind: 'flush'; readonly port: number | undefined }
