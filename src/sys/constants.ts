// Linux's numbers, spelled as Linux spells them. x86-64 and arm64 share every one of these: they come from headers common
// to all architectures, or from asm-generic, which both take as it is. native-notes/constants.md lists each with its header,
// and tests compare note, code and the machine's own headers.

export const AF_UNIX = 1
export const AF_INET = 2
export const AF_INET6 = 10

export const SOCK_DGRAM = 2
export const SOCK_RAW = 3
export const SOCK_NONBLOCK = 0x800
export const SOCK_CLOEXEC = 0x80000

export const IPPROTO_IP = 0
export const IPPROTO_IPV6 = 41
export const IPPROTO_UDP = 17
export const IPPROTO_GRE = 47
export const IPPROTO_RAW = 255

export const UDP_NO_CHECK6_RX = 102
export const UDP_SEGMENT = 103
export const UDP_GRO = 104

export const SOL_SOCKET = 1
export const SO_SNDBUF = 7
export const SO_RCVBUF = 8
export const SO_BINDTODEVICE = 25
export const SO_NETNS_COOKIE = 71
export const SO_ATTACH_FILTER = 26
export const SO_SNDBUFFORCE = 32
export const SO_RCVBUFFORCE = 33

export const IP_TOS = 1
export const IP_TTL = 2
export const IP_MTU_DISCOVER = 10
export const IP_RECVERR = 11
export const IP_RECVTOS = 13
export const IP_MTU = 14
export const IP_NODEFRAG = 22
export const IP_PMTUDISC_DONT = 0
export const IP_PMTUDISC_DO = 2

export const IPV6_UNICAST_HOPS = 16
export const IPV6_MTU_DISCOVER = 23
export const IPV6_MTU = 24
export const IPV6_RECVERR = 25
export const IPV6_HOPLIMIT = 52
export const IPV6_RECVTCLASS = 66
export const IPV6_TCLASS = 67

export const SO_EE_ORIGIN_ICMP = 2
export const SO_EE_ORIGIN_ICMP6 = 3

export const MSG_TRUNC = 0x20
export const MSG_DONTWAIT = 0x40
export const MSG_ERRQUEUE = 0x2000

export const POLLIN = 0x1
export const POLLOUT = 0x4
export const POLLERR = 0x8
export const POLLHUP = 0x10
export const POLLNVAL = 0x20

export const O_RDWR = 0x2
export const O_NONBLOCK = 0x800
export const O_CLOEXEC = 0x80000

export const F_SETFD = 2
export const F_GETFL = 3
export const F_SETFL = 4
export const FD_CLOEXEC = 1

export const EFD_NONBLOCK = 0x800
export const EFD_CLOEXEC = 0x80000

export const TUNSETIFF = 0x400454ca
export const IFF_TAP = 0x2
export const IFF_NO_PI = 0x1000
export const IFF_VNET_HDR = 0x4000
export const TUNSETOFFLOAD = 0x400454d0
export const TUNGETVNETHDRSZ = 0x800454d7
export const TUNSETVNETHDRSZ = 0x400454d8
export const TUNSETCARRIER = 0x400454e2
export const TUN_F_CSUM = 0x1
export const TUN_F_TSO4 = 0x2
export const TUN_F_TSO6 = 0x4
export const TUN_F_TSO_ECN = 0x8
export const TUN_F_USO4 = 0x20
export const TUN_F_USO6 = 0x40
export const VIRTIO_NET_HDR_F_NEEDS_CSUM = 0x1

export const SIOCGIFFLAGS = 0x8913
export const SIOCSIFFLAGS = 0x8914
export const SIOCGIFMTU = 0x8921
export const SIOCSIFMTU = 0x8922
export const SIOCSIFHWADDR = 0x8924
export const SIOCGIFHWADDR = 0x8927
export const IFF_UP = 0x1
export const ARPHRD_ETHER = 1
export const IFNAMSIZ = 16

export const LOCK_EX = 2
export const LOCK_NB = 4
