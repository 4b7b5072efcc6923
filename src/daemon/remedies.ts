// What to do about drops that go on, by their reason, for a person in a hurry; docs/drops.md has it at length. A reason without
// a word is life on a network, or has a problem of its own in health.ts that says more.

import type { DropReason } from '../drops.js'

/** A question of what was dropped, and the way out. Every reason is here, so that a new one is thought of. */
export const REMEDIES: Readonly<Record<DropReason, string | undefined>> = {
  truncated: 'the sender makes packets that end too early; `tcpdump -ni any "ip proto 47"` shows them',
  'bad-version': 'the sender speaks PPTP or EoIP, not Ethernet over GRE: make its end a gretap, or a tsgre',
  'reserved-bits': 'the sender uses source routes of RFC 1701, which nobody does: find out what sends there',
  'unknown-protocol': 'the other end carries IP, not Ethernet: make it `type gretap` in place of `type gre`',
  'unknown-peer': undefined, // other hosts' business, unless somebody forgot a --remote
  'key-mismatch': undefined,
  checksum: undefined,
  'out-of-sequence':
    'the way reorders packets: leave sequence numbers (--seq) away unless order matters more than loss',
  'too-big':
    'frames do not fit and cannot be mended: --oversize outer sends them in fragments, or give their senders a smaller MTU',
  'no-route':
    'this host has no way to the remote, or the remote (or its gateway) does not answer ARP: `ip route get` of its address, `ip neigh`, and whether the link is up',
  firewall:
    "a rule of this host's firewall refuses the packets: allow protocol 47 (or the UDP port) to the remote in the output chain",
  'queue-full': 'the kernel has no memory for packets: raise net.core.wmem_max, or send less',
  'peer-refused': undefined,
  loop: 'the tunnel is led into itself: look at `ip route get` of the remote, and whether the TAP and the underlay share a bridge',
  'tap-down': undefined,
  answered: undefined,
  ecn: undefined,
  'same-side': undefined,
  'flood-limit': 'a storm in this LAN, or a --flood-limit that is too low: `tsgre capture --drops` shows who sends it',
  'peer-down': undefined,
  'loop-guard': undefined,
  'forged-probe': 'a program on this host sends frames that look like probes of tsgre: find and stop it',
}
