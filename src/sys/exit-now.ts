// The end of this process without waiting for its other threads. Node's own joins those of its pool first, and one that looks a name
// up at a server that does not answer comes back when that is given up, after ten seconds. What listens for the exit is called; the kernel
// takes the rest.

import { exit } from './libc.js'
import { giveBackStandardStreams } from './replace-process.js'

/** Does not return. */
export function exitNow(code: number): never {
  process.emit('exit', code)
  giveBackStandardStreams()
  exit(code)
  throw new Error('_exit(2) has returned')
}
