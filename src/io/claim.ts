// One tunnel per local address, remote and key in a network namespace: two would both receive every packet.
// The claim is a name in the abstract Unix namespace, which the kernel frees even after kill -9.

import { createHash } from 'node:crypto'
import { ConfigError } from '../errors.js'
import { close } from '../sys/libc.js'
import { heldAbstractNames, holdAbstractName } from '../sys/sockets.js'

/** What makes two tunnels take the same packets. */
export interface Identity {
  readonly local: string
  readonly remote: string
  /** Key expected on received packets; undefined for none. */
  readonly keyIn: number | undefined
  readonly dev: string | undefined
}

/**
 * Takes the claim and returns how to give it back.
 * @throws ConfigError TSGRE_IN_USE when another tunnel of this network namespace has it
 */
export function claim(identity: Identity): () => void {
  const { local, remote, keyIn, dev } = identity
  const name = nameOf(identity)
  const fd = holdAbstractName(name + (dev ?? ''))
  // A tunnel bound to a device and one that is not share the packets of that device.
  const taken = fd === undefined || held(name).some((other) => (dev === undefined ? other !== '' : other === ''))
  if (!taken) return () => close(fd)
  if (fd !== undefined) close(fd)
  const key = keyIn === undefined ? 'without a key' : `with key ${keyIn}`
  throw new ConfigError(
    'TSGRE_IN_USE',
    'remote',
    remote,
    `--remote ${remote}: another tunnel ${key} from ${local} to it runs on this host, and both would get every packet; give this one its own --key`,
  )
}

/** Whether a tunnel of this network namespace, this one or another, takes packets from `remote` to `local` with that key. */
export function isClaimed(identity: Omit<Identity, 'dev'>): boolean {
  return claims()(identity)
}

/** The same for many, out of what is claimed now. */
export function claims(): (identity: Omit<Identity, 'dev'>) => boolean {
  const names = heldAbstractNames()
  return (identity) => held(nameOf(identity), names).length > 0
}

/** Two IPv6 addresses, a key and a device do not fit the 107 bytes of such a name, and the device must stay readable. */
function nameOf({ local, remote, keyIn }: Omit<Identity, 'dev'>): string {
  const whose = createHash('sha256')
    .update(`${local}/${remote}/${keyIn ?? 'no key'}`)
    .digest('hex')
  return `tsgre/${whose}/`
}

/** The devices ('' for none) of the claims under `name`. */
function held(name: string, names = heldAbstractNames()): string[] {
  return names.flatMap((one) => (one.startsWith(name) ? [one.slice(name.length)] : []))
}
