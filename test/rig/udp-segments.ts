// Program: udp-segments.js send ADDRESS PORT SIZE COUNT, or: udp-segments.js receive ADDRESS PORT. The sender hands the kernel
// COUNT messages of many datagrams of SIZE bytes each (UDP_SEGMENT), as a QUIC server does; every datagram carries its number
// and bytes that follow from it, and one that is empty ends them. The receiver prints `ready`, and then what came, as JSON.

import { createSocket } from 'node:dgram'
import { parseAddress } from '#tsgre/sys/address.js'
import { IPPROTO_UDP, SO_RCVBUFFORCE, SOCK_DGRAM, SOL_SOCKET, UDP_SEGMENT } from '#tsgre/sys/constants.js'
import { check } from '#tsgre/sys/fail.js'
import { poll, write } from '#tsgre/sys/libc.js'
import { slab } from '#tsgre/sys/memory.js'
import { connectTo, openSocket, setOption, trySetOption } from '#tsgre/sys/sockets.js'
import { pseudoRandom } from './prng.js'

const SEGMENTS = 40
const [how, address, port, size, count] = process.argv.slice(2)

/** Datagram `number`: four octets of number, then what follows from it. */
function datagram(number: number, bytes: number): Buffer {
  const body = new Uint8Array((bytes + 3) & ~3)
  pseudoRandom(number + 1)(body)
  const whole = Buffer.from(body.buffer, 0, bytes)
  whole.writeUInt32BE(number)
  return whole
}

function send(): void {
  const bytes = Number(size)
  const remote = parseAddress(address!)!
  const fd = openSocket(remote.family, SOCK_DGRAM, 0)
  connectTo(fd, remote, Number(port))
  setOption(fd, IPPROTO_UDP, UDP_SEGMENT, bytes, 'UDP_SEGMENT')
  const message = slab(SEGMENTS * bytes)
  for (let i = 0; i < Number(count); i++) {
    for (let k = 0; k < SEGMENTS; k++) message.bytes.set(datagram(i * SEGMENTS + k, bytes), k * bytes)
    check(write(fd, message.address, SEGMENTS * bytes), 'write')
    poll(0, 0, 2) // a pace that no queue on the way is too short for
  }
  setOption(fd, IPPROTO_UDP, UDP_SEGMENT, 0, 'UDP_SEGMENT')
  check(write(fd, message.address, 0), 'write')
  console.log(`sent ${Number(count) * SEGMENTS}`)
}

function receive(): void {
  const socket = createSocket(address!.includes(':') ? 'udp6' : 'udp4')
  const came = { good: 0, bad: 0, reordered: 0, last: -1 }
  socket.on('message', (message) => {
    if (message.length === 0) return console.log(JSON.stringify(came))
    const number = message.readUInt32BE(0)
    if (message.equals(datagram(number, message.length))) came.good++
    else came.bad++
    if (number <= came.last) came.reordered++
    came.last = number
  })
  socket.bind(Number(port), address, () => {
    // Beyond what sysctl allows: a receiver that a busy machine keeps waiting must lose nothing.
    const { fd } = (socket as unknown as { _handle: { fd: number } })._handle
    check(trySetOption(fd, SOL_SOCKET, SO_RCVBUFFORCE, 16 << 20), 'SO_RCVBUFFORCE')
    console.log('ready')
  })
}

if (how === 'send') send()
else receive()
