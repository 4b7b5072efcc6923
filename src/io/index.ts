// 'tsgre/io': ports and batches, for programs that bring their own underlay or overlay.

export { DROP, DROP_REASONS, type DropCounters, type DropReason, dropCounters, dropsByReason } from '../drops.js'
export { type Address, parseAddress } from '../sys/address.js'
export { BATCH_ENTRIES, Batch, HEADROOM, SLOT_BYTES } from './batch.js'
export { type LossyOptions, lossy } from './lossy.js'
export { memoryPorts } from './memory-port.js'
export { openRawSocket, type RawSocketOptions } from './open-raw-socket.js'
export type { Port } from './port.js'
export { type RawSocketHandle, RawSocketPort } from './raw-socket.js'
export { openTap, type TapOptions, TapPort } from './tap.js'
export { type UnderlayPath, underlayPath } from './underlay-path.js'
