// Program: udp-sink.js ADDRESS PORT. Counts datagrams by their first octet, the number of their rate (udp-source.ts), and
// prints the counts as a JSON line at every silence that follows some. Runs until it is killed.

import { MessageVector } from '#tsgre/io/message-vector.js'
import { Poller } from '#tsgre/io/poller.js'
import { parseAddress } from '#tsgre/sys/address.js'
import { MSG_DONTWAIT, SO_RCVBUFFORCE, SOCK_DGRAM, SOL_SOCKET } from '#tsgre/sys/constants.js'
import { recvmmsg } from '#tsgre/sys/libc.js'
import { slab } from '#tsgre/sys/memory.js'
import { bindTo, openSocket, trySetOption } from '#tsgre/sys/sockets.js'

const BATCH = 64
const SLOT_BYTES = 2048
const SILENCE_MS = 250

const [address, port] = process.argv.slice(2)
const fd = openSocket(4, SOCK_DGRAM, 0)
trySetOption(fd, SOL_SOCKET, SO_RCVBUFFORCE, 4 << 20)
bindTo(fd, parseAddress(address)!, Number(port))

const memory = slab(BATCH * SLOT_BYTES)
const vector = new MessageVector(BATCH, 4)
for (let i = 0; i < BATCH; i++) {
  vector.setPayload(i, memory.address + i * SLOT_BYTES, SLOT_BYTES)
  vector.setNoControl(i)
}
const poller = new Poller(fd, -1, -1)
const counts: number[] = new Array(256).fill(0)
console.log('ready')

for (let quiet = true; ; ) {
  if (poller.wait(SILENCE_MS) === 0) {
    if (!quiet) console.log(JSON.stringify(counts))
    quiet = true
    continue
  }
  const received = recvmmsg(fd, vector.address, BATCH, MSG_DONTWAIT, 0)
  for (let i = 0; i < received; i++) counts[memory.bytes[i * SLOT_BYTES]]++
  quiet = false
}
