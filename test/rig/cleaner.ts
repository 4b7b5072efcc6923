// A program that is in the middle of cleaning up after the dead tunnel on TAP, and does not come to an end before SIGTERM:
// cleaner.js TAP. It prints `cleaning`.

import { changingTheHost, holdTap } from '#tsgre/host/host-lock.js'

const tap = process.argv[2]!
await changingTheHost(async () => {
  const release = holdTap(tap)
  if (!release) throw new Error(`${tap} runs`)
  const told = new Promise((resolve) => process.once('SIGTERM', resolve))
  const stay = setInterval(() => {}, 1000)
  console.log('cleaning')
  await told
  clearInterval(stay)
  release()
})
