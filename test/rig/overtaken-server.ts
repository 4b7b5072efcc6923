// A program that makes a control socket in TSGRE_RUN_DIR while somebody else who may write there, MEMBER (UID:GROUP), meddles: as soon
// as the socket is bound, they rename the folder in which it is made, and put one of their own in its place, with a link to TARGET.
// It prints `ready PATH`, and ends by SIGTERM.

import { spawnSync } from 'node:child_process'
import { createServer } from 'node:http'
import { listenAt } from '#tsgre/daemon/control/socket-file.js'

const [uid, gid] = process.env.MEMBER!.split(':').map(Number)
const SCRIPT =
  'cd "$TSGRE_RUN_DIR"; made=$(echo .new-*); mv "$made" taken; mkdir -m 777 "$made"; ln -s "$TARGET" "$made/s"'
const server = createServer()
server.prependListener('listening', () => {
  const { status, stderr } = spawnSync('sh', ['-ec', SCRIPT], { uid: uid!, gid: gid!, encoding: 'utf8' })
  if (status !== 0) throw new Error(`the member could not meddle: ${stderr}`)
})
const file = await listenAt(server, 'hosts')
process.on('SIGTERM', () => {
  file.remove()
  server.close(() => process.exit(0))
})
console.log(`ready ${file.path}`)
