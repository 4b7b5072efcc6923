// All peers, in the order of the report. Another one is another object here.

import { resolve } from 'node:path'
import { asked } from './peers/asked.js'
import { direct, vxlan } from './peers/kernel.js'
import { naive } from './peers/naive.js'
import { ovs, ovsAfxdp } from './peers/open-vswitch.js'
import { openvpn } from './peers/openvpn.js'
import { onWire, type Peer } from './peers/peer.js'
import { rawSocket, tsgre, tsgreBusy, tsgreOff, tsgrePlain, tsgreUdp } from './peers/tsgre.js'

export const PEERS: readonly Peer[] = [
  direct,
  onWire(direct),
  vxlan,
  onWire(vxlan),
  openvpn,
  naive,
  ovs,
  ovsAfxdp,
  rawSocket,
  tsgreOff,
  tsgrePlain,
  tsgreUdp,
  onWire(tsgreUdp),
  tsgreBusy,
]

/** Of interest by themselves, beside tsgre; not in a run of all. */
const BY_NAME: readonly Peer[] = [asked(tsgrePlain)]

function peerNamed(word: string): Peer | undefined {
  const [name, path] = word.split('=')
  if (path) return tsgre(name!, name!, 'tsgre, another build', [], { bin: resolve(path) })
  return [...PEERS, ...BY_NAME].find((peer) => peer.name === name)
}

/** The peers of these names; NAME=PATH is the command of another build. Throws a sentence where a name is none. */
export function peersNamed(words: readonly string[]): Peer[] {
  const unknown = words.filter((word) => !peerNamed(word))
  if (unknown.length === 0) return words.map((word) => peerNamed(word)!)
  const known = [...PEERS, ...BY_NAME].map(({ name }) => name).join(', ')
  throw new Error(`no peer named ${unknown.join(', ')}; there are ${known}, and NAME=PATH for another build's command`)
}
