// Frames a container's kernel answers: ARP and ping, with their checksums. Hexadecimal digits in and out.

import { naiveChecksum } from './naive/naive-checksum.js'

export interface Node {
  /** Twelve hexadecimal digits. */
  mac: string
  /** Dotted quad. */
  address: string
}

const BROADCAST = 'ffffffffffff'

function quad(address: string): string {
  return Buffer.from(address.split('.').map(Number)).toString('hex')
}

/** `digits` with the checksum over all of it written at octet `at`. */
function sealed(digits: string, at: number): string {
  const bytes = Buffer.from(digits, 'hex')
  bytes.writeUInt16BE(naiveChecksum(bytes, 0, bytes.length), at)
  return bytes.toString('hex')
}

export function arpRequest(from: Node, address: string): string {
  const request = '0001080006040001'
  return `${BROADCAST}${from.mac}0806${request}${from.mac}${quad(from.address)}000000000000${quad(address)}`
}

export function isArpReply(frame: string, to: Node): boolean {
  return frame.slice(0, 12) === to.mac && frame.slice(24, 44) === '08060001080006040002'
}

/** `sequence` comes back in the reply. */
export function echoRequest(from: Node, to: Node, sequence: number): string {
  const ip = sealed(`45000024000040004001${'0000'}${quad(from.address)}${quad(to.address)}`, 10)
  const icmp = sealed(`08000000abcd${sequence.toString(16).padStart(4, '0')}0001020304050607`, 2)
  return `${to.mac}${from.mac}0800${ip}${icmp}`
}

/** The sequence number of a reply to `echoRequest`, or undefined for any other frame. */
export function echoReply(frame: string, to: Node): number | undefined {
  const isReply = frame.slice(0, 12) === to.mac && frame.slice(24, 28) === '0800' && frame.slice(68, 72) === '0000'
  return isReply && frame.slice(76, 80) === 'abcd' ? Number.parseInt(frame.slice(80, 84), 16) : undefined
}
