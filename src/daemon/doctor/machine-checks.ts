// What this process and this machine can do at all: capabilities, /dev/net/tun, versions. By trying, as far as trying leaves
// nothing behind: the one TAP that is made has a name of its own and goes with its descriptor.

import { readFileSync } from 'node:fs'
import { IFF_NO_PI, IFF_TAP, IPPROTO_GRE, O_CLOEXEC, O_RDWR, SOCK_RAW, TUNSETIFF } from '../../sys/constants.js'
import { errnoName } from '../../sys/errno.js'
import { close, errno, ioctl, open } from '../../sys/libc.js'
import { Link } from '../../sys/link.js'
import { openSocket } from '../../sys/sockets.js'
import { type Finding, fine, found } from './finding.js'

const GRANT = 'run it as root, or in a systemd unit with AmbientCapabilities=CAP_NET_ADMIN CAP_NET_RAW'
const CAP_NET_ADMIN = 12n
/** Oldest Node tsgre is made for. */
const LEAST_NODE = [20, 19] as const

/** `raw`: whether a raw socket is needed, as it is but for GRE-in-UDP. */
export function checkCapabilities(raw: boolean): Finding[] {
  const admin = hasNetAdmin()
  const noRaw = raw ? rawSocketTrouble() : undefined
  if (admin && noRaw === undefined)
    return [fine('capabilities', raw ? 'CAP_NET_ADMIN and CAP_NET_RAW are there' : 'CAP_NET_ADMIN is there')]
  return [
    ...(admin ? [] : [found('no-net-admin', 'CAP_NET_ADMIN is missing: no TAP can be made, no bridge joined', GRANT)]),
    ...(noRaw === undefined ? [] : [found('no-net-raw', `no raw socket can be opened: ${noRaw}`, GRANT)]),
  ]
}

function hasNetAdmin(): boolean {
  const [, set = '0'] = /^CapEff:\s*([0-9a-f]+)/m.exec(readFileSync('/proc/self/status', 'latin1')) ?? []
  return ((BigInt(`0x${set}`) >> CAP_NET_ADMIN) & 1n) === 1n
}

function rawSocketTrouble(): string | undefined {
  try {
    close(openSocket(4, SOCK_RAW, IPPROTO_GRE))
    return undefined
  } catch (error) {
    return (error as Error).message
  }
}

const TUN = '/dev/net/tun'

/** Makes a TAP and lets go of it at once. */
export function checkTun(): Finding[] {
  const fd = open(TUN, O_RDWR | O_CLOEXEC)
  if (fd < 0) {
    const code = errnoName(errno())
    if (code === 'EACCES' || code === 'EPERM')
      return [found('tun-not-open', `${TUN} may not be opened (${code})`, `chmod 666 ${TUN}, or run as root`)]
    const container = 'in a container: docker run --device /dev/net/tun --cap-add NET_ADMIN …'
    return [found('no-tun', `${TUN} cannot be opened (${code})`, `modprobe tun; ${container}`)]
  }
  const name = `tsgre-d${process.pid % 1_000_000}`
  const refused = ioctl(fd, TUNSETIFF, Link.request(name, IFF_TAP | IFF_NO_PI)) < 0 ? errnoName(errno()) : undefined
  close(fd)
  if (refused === undefined) return [fine('tun', `${TUN} is there, and a TAP can be made (one was, and is gone)`)]
  const remedy = refused === 'EPERM' ? GRANT : 'see dmesg'
  return [found('tun-refuses', `no TAP can be made: ioctl(TUNSETIFF) fails with ${refused}`, remedy)]
}

/** `versions` and the rest are this process's, but for a test. */
export function checkSystem(
  node = process.versions.node,
  platform: string = `${process.platform} ${process.arch}`,
): Finding[] {
  const [major = 0, minor = 0] = node.split('.').map(Number)
  const old = major < LEAST_NODE[0] || (major === LEAST_NODE[0] && minor < LEAST_NODE[1])
  const kernel = readFileSync('/proc/sys/kernel/osrelease', 'latin1').trim()
  const findings = [
    ...(old ? [found('old-node', `Node ${node} is older than ${LEAST_NODE.join('.')}`, 'install a newer Node')] : []),
    ...(platform === 'linux x64'
      ? []
      : [found('untried-platform', `nothing has been tried on ${platform} yet, only on linux x64`)]),
  ]
  const [release = 0, patch = 0] = kernel.split('.').map(Number)
  const uso = release > 6 || (release === 6 && patch >= 2) ? '' : ' (before 6.2: no superframes of UDP, TCP only)'
  return findings.length > 0 ? findings : [fine('system', `Linux ${kernel}${uso}, Node ${node}`)]
}
