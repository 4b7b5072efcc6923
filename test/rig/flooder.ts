// Program: flooder.js LOCAL REMOTE MAX_PER_SECOND HEX …. Sends the packets (GRE first) in turn, in batches, as fast as it is
// allowed, until SIGTERM; then prints how many the kernel took of each, `sent N`.
// Its own receive buffer is left to overflow: what comes is none of its business.

import { setTimeout as sleep } from 'node:timers/promises'
import { dropCounters } from '#tsgre/drops.js'
import { BATCH_ENTRIES, Batch, HEADROOM, openRawSocket, parseAddress, SLOT_BYTES } from '#tsgre/io/index.js'

const [local, remote, most, ...texts] = process.argv.slice(2)
const packets = texts.map((digits) => Buffer.from(digits, 'hex'))
const remotes = [{ peer: 0, address: parseAddress(remote)!, mtu: 1500, keyIn: 0xdead }]
const port = openRawSocket({ local: parseAddress(local)!, remotes })
const batch = new Batch()
const drops = dropCounters()
let rounds = 0

// Whole rounds of the packets, laid out once.
const size = BATCH_ENTRIES - (BATCH_ENTRIES % packets.length)
for (let i = 0; i < size; i++) {
  const packet = packets[i % packets.length]
  batch.memory.bytes.set(packet, i * SLOT_BYTES + HEADROOM)
  batch.offset[i] = i * SLOT_BYTES + HEADROOM
  batch.length[i] = packet.length
}

/** One batch. What the kernel refuses would be nobody's packet: that ends the program. */
function flood(): void {
  batch.count = size
  batch.head = 0
  batch.sent = 0
  while (batch.head < size) port.write(batch, drops)
  if (batch.sent < size) throw new Error(`the kernel refused packets: ${drops}`)
  rounds += size / packets.length
}

let stopped = false
process.on('SIGTERM', () => {
  stopped = true
})
console.log('flooding')
const started = performance.now()
while (!stopped) {
  for (let i = 0; i < 8 && rounds * packets.length < (performance.now() - started) * (Number(most) / 1000); i++) {
    flood()
  }
  await sleep(1)
}
port.close()
console.log(`sent ${rounds}`)
