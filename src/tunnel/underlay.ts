// The tunnel's end in the underlay as the program's side holds it: the sockets, opened by the options; which engine drives a pump on
// them; whose packets the kernel lets through; and how they come to stand on another address of this host while the pump runs.

import { filterRemotes, openRawSocket, type Remote, type UnderlayOptions } from '../io/open-raw-socket.js'
import { openUdpSocket } from '../io/open-udp-socket.js'
import { PortableSocketPort } from '../io/portable-socket.js'
import type { RawSocketPort } from '../io/raw-socket.js'
import type { TapPort } from '../io/tap.js'
import type { UdpSocketPort } from '../io/udp-socket.js'
import type { Address } from '../sys/address.js'
import { replaceDescriptor } from '../sys/sockets.js'
import type { Engine, EngineListener } from './engine.js'
import { LoopEngine } from './loop-engine.js'
import type { ResolvedOptions } from './options.js'
import { Pump } from './pump.js'
import type { Counters } from './stats.js'
import { ThreadEngine } from './thread-engine.js'

export interface Underlay {
  start(tap: TapPort, listener: EngineListener, counters: Counters): Engine
  /** Lets packets of these through, and no others. */
  filter(remotes: readonly Remote[]): void
  /** Puts the sockets on another address of this host. @throws SystemError EADDRNOTAVAIL; nothing has changed then */
  rebind(local: Address, remotes: readonly Remote[]): void
  close(): void
}

/** Opens the sockets. @throws ConfigError, SystemError as the ports do */
export function openUnderlay(
  resolved: ResolvedOptions,
  remotes: readonly Remote[],
  warn: (message: string) => void,
): Underlay {
  const { settings, local, dev } = resolved
  const options: UnderlayOptions = {
    local,
    remotes,
    dev,
    ttl: settings.ttl === 'inherit' ? 64 : settings.ttl,
    tos: settings.tos === 'inherit' ? 0 : settings.tos & ~3,
  }
  return resolved.io === 'raw-socket' ? portable(resolved, options, warn) : threaded(resolved, options, warn)
}

function portable({ settings }: ResolvedOptions, options: UnderlayOptions, warn: (message: string) => void): Underlay {
  const port = new PortableSocketPort(options, warn)
  return {
    start: (tap, listener, counters) => new LoopEngine(new Pump(tap, port, settings, counters), tap, port, listener),
    filter() {}, // it looks at the sender itself
    rebind() {}, // it is not bound
    close: () => port.close(),
  }
}

function threaded(resolved: ResolvedOptions, options: UnderlayOptions, warn: (message: string) => void): Underlay {
  const { settings, busyPoll, encapsulation } = resolved
  const open = (changed: Partial<UnderlayOptions>, tell: (message: string) => void): RawSocketPort | UdpSocketPort =>
    encapsulation
      ? openUdpSocket({ ...options, ...changed, ...encapsulation }, tell)
      : openRawSocket({ ...options, ...changed }, tell)
  const port = open({}, warn)
  return {
    start: (tap, listener, counters) => new ThreadEngine(tap, port.handle, settings, busyPoll, counters, listener),
    filter: (remotes) => {
      if (!encapsulation) filterRemotes(port.fd, options.local.family, remotes)
    },
    rebind: (local, remotes) => {
      const fresh = open({ local, remotes }, () => {})
      const [from, to] = [descriptorsOf(fresh), descriptorsOf(port)]
      // The pump's thread goes on with the numbers that it has.
      for (const [index, fd] of to.entries()) replaceDescriptor(fd, from[index]!)
      fresh.close()
    },
    close: () => port.close(),
  }
}

function descriptorsOf({ handle }: RawSocketPort | UdpSocketPort): number[] {
  return handle.kind === 'raw'
    ? [handle.fd, handle.sendFd, handle.fragmentingFd]
    : [...new Set([handle.fd, ...handle.sendFds])]
}
