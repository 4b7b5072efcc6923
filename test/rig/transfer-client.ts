// Program: transfer-client.js ADDRESS PORT BYTES SEED. Sends a seeded stream over TCP and prints what it sent.

import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { connect } from 'node:net'
import { pseudoRandom } from './prng.js'

const [address, port, bytes, seed] = process.argv.slice(2)
const fill = pseudoRandom(Number(seed))
const hash = createHash('sha256')
const socket = connect(Number(port), address)
await once(socket, 'connect')

let sent = 0
while (sent < Number(bytes)) {
  const block = new Uint8Array(65536)
  fill(block)
  const part = block.subarray(0, Math.min(block.length, Number(bytes) - sent))
  hash.update(part)
  sent += part.length
  if (!socket.write(part)) await once(socket, 'drain')
}
socket.end()
socket.resume()
await once(socket, 'close')
console.log(JSON.stringify({ bytes: sent, sha256: hash.digest('hex') }))
