// What a superframe is, in the numbers of linux/virtio_net.h, which the TAP hands through; and how much of that a port
// understands. Not the virtio_net_hdr itself: io/vnet-header.ts reads and writes it.

/** gso_type: an ordinary frame, TCP over IPv4, TCP over IPv6, UDP over either. */
export const VIRTIO_NET_HDR_GSO_NONE = 0
export const VIRTIO_NET_HDR_GSO_TCPV4 = 1
export const VIRTIO_NET_HDR_GSO_TCPV6 = 4
export const VIRTIO_NET_HDR_GSO_UDP_L4 = 5
/** A flag beside the type: the frame has CWR, which only its first segment keeps. */
export const VIRTIO_NET_HDR_GSO_ECN = 0x80

/**
 * How much is left to the other side of a port, least first: whole frames only; frames whose checksum is still to be filled
 * in; TCP superframes too (TUN_F_TSO4, TUN_F_TSO6); UDP superframes too (TUN_F_USO4, TUN_F_USO6).
 */
export const OFFLOADS = ['off', 'csum', 'tso', 'uso'] as const

export type Offload = (typeof OFFLOADS)[number]

/** Whether `offload` reaches as far as `wanted`. */
export function reaches(offload: Offload, wanted: Offload): boolean {
  return OFFLOADS.indexOf(offload) >= OFFLOADS.indexOf(wanted)
}
