// The Ethernet header peeled tag by tag, by recursion over slices. The oracle of wire/ethernet.ts.

export interface NaiveEthernet {
  etherType: number
  /** VLAN of each tag, outermost first. */
  vlans: number[]
  length: number
}

/** Undefined where the frame ends inside its header. */
export function naiveEthernet(frame: Uint8Array): NaiveEthernet | undefined {
  return peel(frame.slice(12), { etherType: 0, vlans: [], length: 12 })
}

function peel(rest: Uint8Array, found: NaiveEthernet): NaiveEthernet | undefined {
  if (rest.length < 2) return undefined
  const type = Buffer.from(rest).readUInt16BE(0)
  const isTag = ['8100', '88a8'].includes(type.toString(16))
  if (!isTag || found.vlans.length === 2) return { ...found, etherType: type, length: found.length + 2 }
  if (rest.length < 4) return undefined
  const vlan = Buffer.from(rest).readUInt16BE(2) % 4096
  return peel(rest.slice(4), { ...found, vlans: [...found.vlans, vlan], length: found.length + 4 })
}
