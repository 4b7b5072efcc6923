// The captures of test/fixtures/vectors: what real kernels put on the wire. README.md there says how each was taken.
// Invariant: names and packets are those of vectors.json, and the table of README.md is only read.

import { fixture } from './root.js'

/** One row of the README's table. */
export interface CaptureRow {
  name: string
  packets: number
  what: string
  /** The commands, as the README has them. */
  setUp: string
  traffic: string
}

/** IP packets by the capture's name, outer Ethernet header off. */
export function captures(): Map<string, Uint8Array[]> {
  const vectors: Record<string, { ip_packets: string[] }> = JSON.parse(fixture('vectors/vectors.json').toString())
  return new Map(
    Object.entries(vectors).map(([name, { ip_packets }]) => [name, ip_packets.map((hex) => Buffer.from(hex, 'hex'))]),
  )
}

export function captureRows(): CaptureRow[] {
  const lines = fixture('vectors/README.md').toString().split('\n')
  return lines
    .filter((line) => /^\| \S+\.pcap \|/.test(line))
    .map((line) => {
      const [file, packets, what, setUp, traffic] = line
        .split('|')
        .slice(1)
        .map((cell) => cell.trim().replaceAll('`', ''))
      return { name: file.replace('.pcap', ''), packets: Number(packets), what, setUp, traffic }
    })
}

/** The same, from the capture's own file. */
export function pcapPackets(name: string): Uint8Array[] {
  return packetsOfPcap(fixture(`vectors/${name}.pcap`))
}

/** IP packets of a classic pcap file of Ethernet, in this machine's byte order, as tcpdump writes it. */
export function packetsOfPcap(file: Buffer): Uint8Array[] {
  if (file.readUInt32LE(0) !== 0xa1b2c3d4) throw new Error('not a little-endian pcap')
  const packets: Uint8Array[] = []
  for (let at = 24; at < file.length; ) {
    const length = file.readUInt32LE(at + 8)
    packets.push(file.subarray(at + 16 + 14, at + 16 + length))
    at += 16 + length
  }
  return packets
}
