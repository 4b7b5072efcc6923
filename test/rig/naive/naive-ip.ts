// IP headers as one long binary number, cut by bit position as the RFCs draw them. The oracle of wire/ipv4.ts and
// wire/ipv6.ts. Invariant: a field is named by its first bit and its width, never by an octet.

type Cut = (bit: number, width: number) => number

function cutter(bytes: Uint8Array): Cut {
  const bits = [...bytes].map((octet) => octet.toString(2).padStart(8, '0')).join('')
  return (bit, width) => Number.parseInt(bits.slice(bit, bit + width), 2)
}

/** Fields of an IPv4 packet and the length of its header, or undefined where it is none or not all there. */
export function naiveIpv4(packet: Uint8Array) {
  if (packet.length < 20) return undefined
  const cut = cutter(packet.slice(0, 20))
  const length = cut(4, 4) * 4
  const totalLength = cut(16, 16)
  if (cut(0, 4) !== 4 || length < 20 || totalLength < length || packet.length < totalLength) return undefined
  const header = {
    totalLength,
    tos: cut(8, 8),
    id: cut(32, 16),
    dontFragment: cut(49, 1) === 1,
    moreFragments: cut(50, 1) === 1,
    fragmentOffset: cut(51, 13) * 8,
    ttl: cut(64, 8),
    protocol: cut(72, 8),
    source: cut(96, 32),
    destination: cut(128, 32),
  }
  return { length, header }
}

/** Fields of an IPv6 packet and the length up to its upper layer, or undefined where it is none or not all there. */
export function naiveIpv6(packet: Uint8Array) {
  if (packet.length < 40) return undefined
  const cut = cutter(packet.slice(0, 40))
  const payloadLength = cut(32, 16)
  if (cut(0, 4) !== 6 || packet.length < 40 + payloadLength) return undefined
  const walked = walk(cut(48, 8), packet.slice(40, 40 + payloadLength), 0)
  if (walked === undefined) return undefined
  const header = {
    payloadLength,
    trafficClass: cut(4, 8),
    flowLabel: cut(12, 20),
    nextHeader: walked.next,
    hopLimit: cut(56, 8),
    sourceOffset: 8,
    destinationOffset: 24,
  }
  return { length: 40 + payloadLength - walked.rest.length, header }
}

function walk(next: number, rest: Uint8Array, steps: number): { next: number; rest: Uint8Array } | undefined {
  if (steps === 8 || (next !== 0 && next !== 60)) return { next, rest }
  if (rest.length < 8) return undefined
  const size = 8 + 8 * rest[1]
  return rest.length < size ? undefined : walk(rest[0], rest.slice(size), steps + 1)
}
