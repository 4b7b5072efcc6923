// Program: gre-peer.js REMOTE. The other end of a tunnel by hand: npm raw-socket, and GRE headers put together octet by
// octet, without a line of src. Sends the packets that stand as a JSON array in its standard input, prints `sent N`, and
// then, until it is stopped, one line of JSON for every GRE packet that comes from REMOTE.

import { createRequire } from 'node:module'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { naiveChecksum } from './naive/naive-checksum.js'

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

/** What came: the GRE packet, outer header off. */
export interface Came {
  flags: number
  protocol: number
  /** What is behind the first four octets, hexadecimal. */
  rest: string
}

const raw = createRequire(import.meta.url)('raw-socket')
const IPPROTO_GRE = 47
const [remote] = process.argv.slice(2)
const v6 = remote.includes(':')

function word(value: number): number[] {
  return [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255]
}

function bytesOf(gre: Gre): Buffer {
  const { flags, protocol = 0x6558, checksum, key, sequence, payload, cut } = gre
  const octets = [flags >> 8, flags & 255, protocol >> 8, protocol & 255]
  if (checksum !== undefined) octets.push(0, 0, 0, 0)
  if (key !== undefined) octets.push(...word(key))
  if (sequence !== undefined) octets.push(...word(sequence))
  octets.push(...Buffer.from(payload, 'hex'))
  const packet = Buffer.from(octets)
  if (checksum !== undefined) {
    packet.writeUInt16BE(checksum === 'good' ? naiveChecksum(packet, 0, packet.length) : checksum, 4)
  }
  return packet.subarray(0, cut)
}

const addressFamily = v6 ? raw.AddressFamily.IPv6 : raw.AddressFamily.IPv4
const socket = raw.createSocket({ protocol: IPPROTO_GRE, addressFamily, bufferSize: 65536 })
socket.on('error', (error: Error) => console.error(error.message))
socket.on('message', (buffer: Buffer, source: string) => {
  if (source !== remote) return
  const at = v6 ? 0 : (buffer[0] & 15) * 4
  const came: Came = {
    flags: buffer.readUInt16BE(at),
    protocol: buffer.readUInt16BE(at + 2),
    rest: buffer.toString('hex', at + 4),
  }
  console.log(JSON.stringify(came))
})

function send(packet: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.send(packet, 0, packet.length, remote, (error: Error | null) => (error ? reject(error) : resolve()))
  })
}

const packets: Gre[] = JSON.parse(await text(process.stdin))
for (const packet of packets) {
  await send(bytesOf(packet))
  await sleep(1)
}
console.log(`sent ${packets.length}`)
