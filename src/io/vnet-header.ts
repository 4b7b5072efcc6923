// The virtio_net_hdr in front of every frame of a TAP with offload, from and to the columns of a batch. Host order, 10 bytes
// (native-notes/virtio-net-hdr.md).

import { VIRTIO_NET_HDR_GSO_ECN } from '../offload/gso.js'
import { VIRTIO_NET_HDR } from '../sys/abi.js'
import { VIRTIO_NET_HDR_F_NEEDS_CSUM } from '../sys/constants.js'
import type { Batch } from './batch.js'

export const VNET_HEADER_BYTES = VIRTIO_NET_HDR.size

const { flags, gso_type, hdr_len, gso_size, csum_start, csum_offset } = VIRTIO_NET_HDR.at
const GSO_TYPE = gso_type.offset
const HDR_LEN = hdr_len.offset
const GSO_SIZE = gso_size.offset
const CSUM_START = csum_start.offset
const CSUM_OFFSET = csum_offset.offset
const FLAGS = flags.offset

function get(bytes: Uint8Array, at: number): number {
  return bytes[at] | (bytes[at + 1] << 8)
}

function put(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value
  bytes[at + 1] = value >>> 8
}

/** Reads what stands in front of entry i. hdr_len is a hint and is not looked at. */
export function readVnetHeader(batch: Batch, i: number): void {
  const { bytes } = batch.memory
  const at = batch.offset[i] - VNET_HEADER_BYTES
  const needed = bytes[at + FLAGS] & VIRTIO_NET_HDR_F_NEEDS_CSUM
  batch.joined[i] = 0
  batch.gsoType[i] = bytes[at + GSO_TYPE] & ~VIRTIO_NET_HDR_GSO_ECN
  batch.gsoSize[i] = get(bytes, at + GSO_SIZE)
  batch.csumStart[i] = needed ? get(bytes, at + CSUM_START) : 0
  batch.csumOffset[i] = needed ? get(bytes, at + CSUM_OFFSET) : 0
}

/** Writes what goes in front of entry i at `at`. */
export function writeVnetHeader(batch: Batch, i: number, bytes: Uint8Array, at: number): void {
  const start = batch.csumStart[i]
  bytes[at + FLAGS] = start === 0 ? 0 : VIRTIO_NET_HDR_F_NEEDS_CSUM
  bytes[at + GSO_TYPE] = batch.gsoType[i]
  // The kernel copies at least so much into the linear part of its packet: all headers, of TCP without its options.
  put(bytes, at + HDR_LEN, start === 0 ? 0 : start + batch.csumOffset[i] + 2)
  put(bytes, at + GSO_SIZE, batch.gsoType[i] === 0 ? 0 : batch.gsoSize[i])
  put(bytes, at + CSUM_START, start)
  put(bytes, at + CSUM_OFFSET, batch.csumOffset[i])
}
