// Fragments of an IPv4 packet put together as RFC 791 §3.2 says it, octet by octet into an array with holes. The oracle of
// offload/fragment.ts. Invariant: throws where two fragments disagree, and for a hole.

import { naiveIpv4 } from './naive-ip.js'

/** The packet without its header, and the header of its first fragment. */
export function naiveReassemble(packets: readonly Uint8Array[]): { header: Uint8Array; data: Uint8Array } {
  const octets: (number | undefined)[] = []
  let header: Uint8Array | undefined
  let size = Number.NaN
  for (const packet of packets) {
    const parsed = naiveIpv4(packet)
    if (parsed === undefined) throw new Error('no IPv4 packet')
    const { totalLength, fragmentOffset, moreFragments } = parsed.header
    const data = packet.slice(parsed.length, totalLength)
    if (moreFragments && data.length % 8 !== 0) throw new Error('a fragment that is no multiple of eight octets')
    if (fragmentOffset === 0) header = packet.slice(0, parsed.length)
    if (!moreFragments) size = fragmentOffset + data.length
    data.forEach((octet, i) => {
      if (octets[fragmentOffset + i] !== undefined) throw new Error('fragments overlap')
      octets[fragmentOffset + i] = octet
    })
  }
  const whole = Array.from({ length: size }, (_, i) => octets[i])
  if (header === undefined || whole.includes(undefined)) throw new Error('a fragment is missing')
  return { header, data: Uint8Array.from(whole as number[]) }
}
