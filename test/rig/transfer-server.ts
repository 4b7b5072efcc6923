// Program: transfer-server.js ADDRESS. Takes one TCP connection and prints what came.

import { createHash } from 'node:crypto'
import { type AddressInfo, createServer } from 'node:net'

const server = createServer((socket) => {
  server.close()
  const hash = createHash('sha256')
  let bytes = 0
  socket.on('data', (chunk) => {
    hash.update(chunk)
    bytes += chunk.length
  })
  socket.on('end', () => {
    console.log(JSON.stringify({ bytes, sha256: hash.digest('hex') }))
    socket.end()
  })
})
server.listen(0, process.argv[2], () => console.log(`listening ${(server.address() as AddressInfo).port}`))
