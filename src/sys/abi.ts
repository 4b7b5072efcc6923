// Where the fields of Linux's structures lie. LP64 little-endian: x86-64 and arm64 lay all of these out alike, since
// both follow natural alignment with 8-byte pointers. native-notes hold the same tables with their sources, and a test
// compares note, code and (through the C compiler) the machine's own headers.

/** 'host' order number, 'network' order number, or plain octets. */
export type Order = 'host' | 'network' | 'octets'

/** One field: where it starts, how many bytes it has, how they are ordered. */
export interface Field {
  readonly offset: number
  readonly size: number
  readonly order: Order
}

/** A C structure by field name, as the header names them. */
export interface Layout<Names extends string> {
  readonly size: number
  readonly at: Readonly<Record<Names, Field>>
}

function layout<Names extends string>(
  size: number,
  fields: Record<Names, readonly [offset: number, size: number, order?: Order]>,
): Layout<Names> {
  const at = {} as Record<Names, Field>
  for (const name of Object.keys(fields) as Names[]) {
    const [offset, bytes, order = 'host'] = fields[name]
    at[name] = { offset, size: bytes, order }
  }
  return { size, at }
}

/** struct ifreq, linux/if.h: a name, then a union. */
export const IFREQ = layout(40, {
  ifr_name: [0, 16, 'octets'],
  ifr_flags: [16, 2],
  ifr_mtu: [16, 4],
  ifr_hwaddr: [16, 16, 'octets'],
})

/** struct sockaddr, linux/socket.h; the form of ifr_hwaddr. */
export const SOCKADDR = layout(16, { sa_family: [0, 2], sa_data: [2, 14, 'octets'] })

/** struct sockaddr_in, linux/in.h */
export const SOCKADDR_IN = layout(16, {
  sin_family: [0, 2],
  sin_port: [2, 2, 'network'],
  sin_addr: [4, 4, 'network'],
})

/** struct sockaddr_in6, linux/in6.h */
export const SOCKADDR_IN6 = layout(28, {
  sin6_family: [0, 2],
  sin6_port: [2, 2, 'network'],
  sin6_flowinfo: [4, 4, 'network'],
  sin6_addr: [8, 16, 'octets'],
  sin6_scope_id: [24, 4],
})

/** struct sockaddr_ll, linux/if_packet.h */
export const SOCKADDR_LL = layout(20, {
  sll_family: [0, 2],
  sll_protocol: [2, 2, 'network'],
  sll_ifindex: [4, 4],
  sll_hatype: [8, 2],
  sll_pkttype: [10, 1],
  sll_halen: [11, 1],
  sll_addr: [12, 8, 'octets'],
})

/** struct sockaddr_un, linux/un.h */
export const SOCKADDR_UN = layout(110, { sun_family: [0, 2], sun_path: [2, 108, 'octets'] })

/** struct iovec, linux/uio.h */
export const IOVEC = layout(16, { iov_base: [0, 8], iov_len: [8, 8] })

/** struct msghdr, as glibc and musl on LP64 hand it to the kernel (linux/socket.h, user_msghdr) */
export const MSGHDR = layout(56, {
  msg_name: [0, 8],
  msg_namelen: [8, 4],
  msg_iov: [16, 8],
  msg_iovlen: [24, 8],
  msg_control: [32, 8],
  msg_controllen: [40, 8],
  msg_flags: [48, 4],
})

/** struct mmsghdr, linux/socket.h */
export const MMSGHDR = layout(64, { msg_hdr: [0, 56, 'octets'], msg_len: [56, 4] })

/** struct cmsghdr, linux/socket.h; the data follows at `size`, each message padded to 8. */
export const CMSGHDR = layout(16, { cmsg_len: [0, 8], cmsg_level: [8, 4], cmsg_type: [12, 4] })

/** struct sock_extended_err, linux/errqueue.h */
export const SOCK_EXTENDED_ERR = layout(16, {
  ee_errno: [0, 4],
  ee_origin: [4, 1],
  ee_type: [5, 1],
  ee_code: [6, 1],
  ee_pad: [7, 1],
  ee_info: [8, 4],
  ee_data: [12, 4],
})

/** struct pollfd, asm-generic/poll.h */
export const POLLFD = layout(8, { fd: [0, 4], events: [4, 2], revents: [6, 2] })

/** struct virtio_net_hdr, linux/virtio_net.h; host order as the TAP uses it (no TUNSETVNETBE) */
export const VIRTIO_NET_HDR = layout(10, {
  flags: [0, 1],
  gso_type: [1, 1],
  hdr_len: [2, 2],
  gso_size: [4, 2],
  csum_start: [6, 2],
  csum_offset: [8, 2],
})

/** struct sock_filter, linux/filter.h */
export const SOCK_FILTER = layout(8, { code: [0, 2], jt: [2, 1], jf: [3, 1], k: [4, 4] })

/** struct sock_fprog, linux/filter.h */
export const SOCK_FPROG = layout(16, { len: [0, 2], filter: [8, 8] })
