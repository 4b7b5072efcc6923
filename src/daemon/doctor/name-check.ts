// Whether the names of remotes have addresses now: of a tunnel that runs, too, which keeps the address of a name that has none any
// more. Its tunnel works, and would not come up again.

import { addressesOf, isAddress } from '../addresses-of.js'
import { type Finding, found } from './finding.js'
import type { Subject, Target } from './subject.js'

export function checkNames({ nameless }: Subject): Finding[] {
  return nameless.map(({ name, why }) => ({
    ...found('no-address', `${name} ${why}`, remedyFor(name)),
    remote: name,
  }))
}

/** Of the remotes to which a tunnel runs; the others were looked up just now. `lookUp` asks name servers, but in a test. */
export async function checkKeptNames(
  { targets }: Pick<Subject, 'targets'>,
  lookUp: (name: string, family: 4 | 6) => Promise<unknown> = addressesOf,
): Promise<Finding[]> {
  const kept = targets.filter(({ asked, peer, differs }) => !isAddress(asked) && (peer || differs.length > 0))
  const trouble = await Promise.all(
    kept.map(({ asked, address }) => lookUp(asked, address.family).then(() => undefined, reasonOf)),
  )
  return kept.flatMap((target, at) => (trouble[at] === undefined ? [] : [gone(target, trouble[at])]))
}

function gone({ asked, address }: Target, why: string): Finding {
  const text = `${asked} has no address now (${why}): the tunnel goes on with ${address.text}, and started anew would wait for one`
  return { ...found('name-gone', text, remedyFor(asked)), remote: address.text }
}

function reasonOf(error: NodeJS.ErrnoException): string {
  return error.code ?? error.message
}

function remedyFor(name: string): string {
  return `getent ahosts ${name}; or give its address`
}
