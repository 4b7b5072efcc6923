// Program: gre-peer.js LOCAL REMOTE. The other end of a tunnel by hand: npm raw-socket and GRE headers put together octet
// by octet, sharing no code with src. Reads JSON lines: {"send": Gre} or {"frames": n}; prints {"sent": n} and, for every
// GRE packet that comes from REMOTE, {"came": hex}. Without LOCAL's own header: the kernel writes the outer one.

import { createRequire } from 'node:module'
import { createInterface } from 'node:readline'

/** The fields of one packet; the optional ones are there when given. */
export interface Gre {
  /** The first 16 bits as they go out, whatever fields follow. */
  flags: number
  protocol?: number
  /** 'good', or the number to write. */
  checksum?: 'good' | number
  key?: number
  sequence?: number
  /** Hexadecimal digits. */
  payload: string
  /** Octets to keep of the whole. */
  cut?: number
}

const require = createRequire(import.meta.url)
const raw = require('raw-socket')

const [local, remote] = process.argv.slice(2)
const IPPROTO_GRE = 47

function word(value: number): number[] {
  return [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255]
}

/** The checksum of RFC 1071, two octets at a time. */
function internetChecksum(octets: readonly number[]): number {
  let sum = 0
  for (let i = 0; i < octets.length; i += 2) sum += octets[i] * 256 + (octets[i + 1] ?? 0)
  while (sum > 0xffff) sum = (sum % 65536) + Math.floor(sum / 65536)
  return 65535 - sum
}

function bytesOf(gre: Gre): Buffer {
  const { flags, protocol = 0x6558, checksum, key, sequence, payload, cut } = gre
  const octets = [flags >> 8, flags & 255, protocol >> 8, protocol & 255]
  if (checksum !== undefined) octets.push(0, 0, 0, 0)
  if (key !== undefined) octets.push(...word(key))
  if (sequence !== undefined) octets.push(...word(sequence))
  octets.push(...Buffer.from(payload, 'hex'))
  if (checksum !== undefined) {
    const value = checksum === 'good' ? internetChecksum(octets) : checksum
    octets[4] = value >> 8
    octets[5] = value & 255
  }
  return Buffer.from(octets.slice(0, cut))
}

const addressFamily = remote.includes(':') ? raw.AddressFamily.IPv6 : raw.AddressFamily.IPv4
const socket = raw.createSocket({ protocol: IPPROTO_GRE, addressFamily, bufferSize: 65536 })
socket.on('message', (buffer: Buffer, source: string) => {
  if (source === remote) console.log(JSON.stringify({ came: buffer.toString('hex') }))
})
socket.on('error', (error: Error) => console.error(error.message))

function send(packet: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.send(packet, 0, packet.length, remote, (error: Error | null) => (error ? reject(error) : resolve()))
  })
}
console.log(JSON.stringify({ ready: local }))
