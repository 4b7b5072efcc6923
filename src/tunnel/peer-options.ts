// One remote of a tunnel, as a program or a person asks for it. What is absent is as the tunnel has it for all.

/** A GRE key: 0 to 4294967295, or in the dotted form of ip-link(8). */
export type Key = number | string

/** One key both ways, or one each way. No key is another thing than key 0. */
export type Keys = Key | { in?: Key | undefined; out?: Key | undefined }

/**
 * What is made of GRE checksums in received packets (a wrong one is dropped whatever the rule): 'accept' takes packets with and
 * without, 'require' drops those without, as a Linux gretap with `csum` does, 'forbid' those with, as one without does.
 */
export type ChecksumRule = 'require' | 'accept' | 'forbid'

export interface PeerOptions {
  /** Underlay address of the other host; IPv6 link-local ones with their zone, `fe80::1%eth1`. */
  remote: string
  key?: Keys | undefined
  /** Send GRE checksums to it. */
  checksum?: boolean | undefined
  /** What it may send. */
  receiveChecksum?: ChecksumRule | undefined
  /** Send sequence numbers to it, and put what it sends back into order. */
  sequence?: boolean | undefined
}
