// Program: vlan-device.js NAME TRUNK TAG …. A VLAN device in user space, for kernels that have none: the frames of the TAP
// NAME leave by the TAP TRUNK with the tags in front of their EtherType, outermost first, each as eight hexadecimal digits
// (81000064). What comes by TRUNK with exactly these tags goes to NAME without them, everything else nowhere.

import { dropCounters } from '#tsgre/drops.js'
import { Batch } from '#tsgre/io/batch.js'
import { openTap } from '#tsgre/io/open-tap.js'
import { OVERLAY, Poller, UNDERLAY } from '#tsgre/io/poller.js'
import type { TapPort } from '#tsgre/io/tap.js'

const ADDRESSES = 12 // destination and source stand in front of the tags

const [name, trunkName, ...texts] = process.argv.slice(2)
const tags = Buffer.from(texts.join(''), 'hex')
const device = openTap({ name })
const trunk = openTap({ name: trunkName })
const batch = new Batch()
const drops = dropCounters()

/** Every frame of `from` that `change` keeps, to `to`. */
function carry(from: TapPort, to: TapPort, change: (entry: number) => boolean): void {
  from.read(batch, drops)
  let kept = 0
  for (let i = 0; i < batch.count; i++) if (change(i)) batch.keep(i, kept++)
  batch.count = kept
  to.write(batch, drops)
}

/** Moves the start of a frame, and its addresses with it; a batch has headroom. */
function shift(entry: number, by: number): void {
  const at = batch.offset[entry]
  batch.memory.bytes.copyWithin(at + by, at, at + ADDRESSES)
  batch.offset[entry] += by
  batch.length[entry] -= by
}

function tag(entry: number): boolean {
  shift(entry, -tags.length)
  batch.memory.bytes.set(tags, batch.offset[entry] + ADDRESSES)
  return true
}

function untag(entry: number): boolean {
  const at = batch.offset[entry] + ADDRESSES
  const ours = tags.equals(batch.memory.bytes.subarray(at, at + tags.length))
  if (ours) shift(entry, tags.length)
  return ours
}

const poller = new Poller(device.fd, trunk.fd, -1)
function wait(): void {
  poller.waitLater(1000, () => {
    if (poller.readable(OVERLAY)) carry(device, trunk, tag)
    if (poller.readable(UNDERLAY)) carry(trunk, device, untag)
    wait()
  })
}
wait()
console.log('up')
