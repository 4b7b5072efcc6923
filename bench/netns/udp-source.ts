// Program: udp-source.js ADDRESS PORT SECONDS RATE… Sends 64-byte datagrams, for so many seconds at each rate in packets a
// second (0: as fast as it can), and prints a JSON line a rate. The first octet of a datagram is the number of its rate.

import { MessageVector } from '#tsgre/io/message-vector.js'
import { parseAddress } from '#tsgre/sys/address.js'
import { MSG_DONTWAIT, SO_SNDBUFFORCE, SOCK_DGRAM, SOL_SOCKET } from '#tsgre/sys/constants.js'
import { sendmmsg } from '#tsgre/sys/libc.js'
import { slab } from '#tsgre/sys/memory.js'
import { connectTo, openSocket, trySetOption } from '#tsgre/sys/sockets.js'

const DATAGRAM_BYTES = 64
const BATCH = 64
const NAP_MS = 0.1
const PAUSE_MS = 400 // longer than the silence by which udp-sink knows that a rate is over

const [address, port, seconds, ...rates] = process.argv.slice(2)
const fd = openSocket(4, SOCK_DGRAM, 0)
trySetOption(fd, SOL_SOCKET, SO_SNDBUFFORCE, 4 << 20)
connectTo(fd, parseAddress(address)!, Number(port))

const datagram = slab(DATAGRAM_BYTES)
const vector = new MessageVector(BATCH, 4)
for (let i = 0; i < BATCH; i++) {
  vector.setPayload(i, datagram.address, DATAGRAM_BYTES)
  vector.setNoControl(i)
}
const never = new Int32Array(new SharedArrayBuffer(4))
const nap = (milliseconds: number) => Atomics.wait(never, 0, 0, milliseconds)

/** Returns how many datagrams the kernel took, and in how many seconds. */
function send(rate: number, forSeconds: number): { sent: number; seconds: number } {
  const start = performance.now()
  let sent = 0
  for (;;) {
    const elapsed = (performance.now() - start) / 1000
    if (elapsed >= forSeconds) return { sent, seconds: elapsed }
    const due = rate === 0 ? BATCH : Math.min(BATCH, Math.floor(elapsed * rate) - sent)
    if (due < 1) nap(NAP_MS)
    else sent += Math.max(0, sendmmsg(fd, vector.address, due, MSG_DONTWAIT))
  }
}

rates.map(Number).forEach((rate, number) => {
  datagram.bytes[0] = number
  console.log(JSON.stringify({ rate, ...send(rate, Number(seconds)) }))
  nap(PAUSE_MS)
})
