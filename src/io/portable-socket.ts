// The underlay port on the npm package raw-socket: the plain event-driven socket, one packet an event, on the program's own
// event loop (native-notes/npm-raw-socket.md). Slow on purpose: it is the portable form and the bench's yardstick.
// That socket can be neither bound nor filtered, so foreign packets are told apart here, and copied packets are owned.

import { createRequire } from 'node:module'
import { isMainThread } from 'node:worker_threads'
import { DROP, type DropCounters, dropAt } from '../drops.js'
import { ConfigError, SystemError } from '../errors.js'
import { type Address, parseAddress } from '../sys/address.js'
import { IP_PMTUDISC_DO, IP_PMTUDISC_DONT, IPPROTO_GRE, SO_BINDTODEVICE, SOL_SOCKET } from '../sys/constants.js'
import { ERRNO, errnoName, errnoOfText } from '../sys/errno.js'
import { BATCH_ENTRIES, type Batch, HEADROOM, SLOT_BYTES } from './batch.js'
import { IP_OPTIONS } from './ip-options.js'
import { type BufferOptions, growBuffers, type UnderlayOptions } from './open-raw-socket.js'
import { type PeerWay, PeerWays } from './peer-ways.js'
import type { Port } from './port.js'
import { sendDropCode } from './underlay-errors.js'
import { UnderlayPort } from './underlay-port.js'

const PACKET_BYTES = 65536
const UNKNOWN_PEER = DROP['unknown-peer']
const PEER_DOWN = DROP['peer-down']

/** The part of raw-socket's interface used here (it has no types of its own). */
interface PackageSocket {
  on(event: 'message', listener: (buffer: Buffer, source: string) => void): void
  on(event: 'error', listener: (error: Error) => void): void
  setOption(level: number, option: number, value: number | Buffer, length?: number): void
  getOption(level: number, option: number, into: Buffer, length: number): number
  send(
    buffer: Buffer,
    offset: number,
    length: number,
    address: string,
    before: () => void,
    after: (error: Error | null, bytes: number) => void,
  ): void
  close(): void
}

interface RawSocketPackage {
  AddressFamily: { IPv4: number; IPv6: number }
  createSocket(options: { protocol: number; addressFamily: number; bufferSize: number }): PackageSocket
}

export class PortableSocketPort extends UnderlayPort implements Port {
  readonly fd = -1
  readonly #socket: PackageSocket
  #local: Address
  readonly #remotes = new Map<number, Address>()
  readonly #defaults: { ttl: number; tos: number }
  readonly #options = { discover: IP_PMTUDISC_DO, ttl: 0, tos: -1 }
  readonly #received: { packet: Buffer; peer: number }[] = []
  #flying = 0
  #foreign = 0
  #refused: number[] = []
  #wake: () => void = () => {}
  #closed = false

  /**
   * @param warn is told, in one sentence, when the kernel grants smaller buffers than asked
   * @throws ConfigError TSGRE_NO_RAW_SOCKET without the package, SystemError EPERM without CAP_NET_RAW
   */
  constructor(options: UnderlayOptions, warn: (message: string) => void) {
    super(new PeerWays({ fd: -1, local: options.local, dev: options.dev }, []))
    const raw = loadPackage()
    this.#local = options.local
    for (const remote of options.remotes) this.setPeer(remote.peer, remote)
    this.#defaults = { ttl: options.ttl ?? 64, tos: options.tos ?? 0 }
    this.#socket = createSocket(raw, options.local.family)
    try {
      this.#configure(options, warn)
    } catch (error) {
      this.#socket.close()
      throw packageError('setsockopt(raw-socket)', error)
    }
    this.#socket.on('message', (buffer, source) => this.#onMessage(buffer, source))
    this.#socket.on('error', (error) => this.#refused.push(sendDropCode(errnoOfText(error.message))))
  }

  override setLocal(local: Address): void {
    super.setLocal(local)
    this.#local = local
  }

  override setPeer(peer: number, way: PeerWay | undefined): void {
    super.setPeer(peer, way)
    if (way) this.#remotes.set(peer, way.address)
    else this.#remotes.delete(peer)
  }

  #configure({ dev, local }: UnderlayOptions, warn: (message: string) => void): void {
    if (dev) {
      const name = Buffer.from(`${dev}\0`)
      this.#socket.setOption(SOL_SOCKET, SO_BINDTODEVICE, name, name.length)
    }
    const { level, discover } = IP_OPTIONS[local.family]
    this.#socket.setOption(level, discover, IP_PMTUDISC_DO)
    growBuffers(bufferOptions(this.#socket), warn)
  }

  #onMessage(buffer: Buffer, source: string): void {
    const { family, bytes } = this.#local
    const toUs = family === 6 || bytes.every((octet, i) => buffer[16 + i] === octet)
    const from = parseAddress(source.split('%')[0]!)
    const peer = from && from.family === family ? this.ways.find(from.bytes, 0) : -1
    if (peer < 0 || !toUs) this.#foreign++
    else this.#received.push({ packet: Buffer.from(buffer), peer }) // the package reads the next packet into the same memory
    this.#wake()
  }

  read(into: Batch, drops: DropCounters): number {
    into.clear()
    drops[UNKNOWN_PEER] += this.#foreign
    this.#foreign = 0
    for (const code of this.#refused.splice(0)) drops[code]++
    for (const { packet, peer } of this.#received.splice(0, into.slots)) {
      const at = into.count * SLOT_BYTES + HEADROOM
      const outer = this.#local.family === 4 ? (packet[0] & 0x0f) << 2 : 0
      into.memory.bytes.set(packet, at)
      into.offset[into.count] = at + outer
      into.length[into.count] = packet.length - outer
      into.tos[into.count] = outer === 0 ? 0 : packet[1]
      into.peer[into.count++] = peer
    }
    if (this.#received.length > 0) this.#wake()
    return into.count
  }

  write(from: Batch, drops: DropCounters): void {
    while (from.head < from.count && this.#flying < BATCH_ENTRIES) {
      const i = from.head++
      const peer = from.peer[i]
      const remote = this.#remotes.get(peer)
      if (!remote) {
        drops[dropAt(peer, PEER_DOWN)]++ // it has just been taken away
        continue
      }
      const packet = packetOf(from, i) // sent later, when the batch is another
      const size = packet.length
      const wanted = {
        discover: from.fragment[i] === 1 ? IP_PMTUDISC_DONT : IP_PMTUDISC_DO,
        ttl: from.ttl[i] || this.#defaults.ttl,
        tos: from.tos[i],
      }
      this.#flying++
      const before = () => this.#apply(wanted)
      this.#socket.send(packet, 0, size, remote.text, before, (error) => {
        this.#flying--
        if (error) this.#refuse(peer, errnoOfText(error.message), drops)
        else {
          from.countSent(peer, size)
        }
        this.#wake()
      })
    }
  }

  #refuse(peer: number, error: number, drops: DropCounters): void {
    drops[dropAt(peer, sendDropCode(error))]++
    if (error === ERRNO.EMSGSIZE) this.ways.lookAt(peer) // what follows is cut smaller
  }

  #apply(wanted: { discover: number; ttl: number; tos: number }): void {
    const numbers = IP_OPTIONS[this.#local.family]
    for (const name of ['discover', 'ttl', 'tos'] as const) {
      if (this.#options[name] === wanted[name]) continue
      this.#socket.setOption(numbers.level, numbers[name], wanted[name])
      this.#options[name] = wanted[name]
    }
  }

  watch(wake: () => void): void {
    this.#wake = wake
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#wake = () => {}
    this.#socket.close()
  }
}

/** A copy of packet i in one piece. */
function packetOf({ headers, headerOffset, headerLength, memory, offset, length }: Batch, i: number): Buffer {
  const header = headers.bytes.subarray(headerOffset[i], headerOffset[i] + headerLength[i])
  return Buffer.concat([header, memory.bytes.subarray(offset[i], offset[i] + length[i])])
}

function createSocket(raw: RawSocketPackage, family: 4 | 6): PackageSocket {
  const addressFamily = family === 4 ? raw.AddressFamily.IPv4 : raw.AddressFamily.IPv6
  try {
    return raw.createSocket({ protocol: IPPROTO_GRE, addressFamily, bufferSize: PACKET_BYTES })
  } catch (error) {
    throw packageError('socket(raw-socket)', error)
  }
}

/** The package throws bare Errors that carry a text of strerror(3). */
function packageError(syscall: string, error: unknown): SystemError {
  const code = errnoName(errnoOfText((error as Error).message))
  const missing = code === 'EPERM' ? ({ capability: 'CAP_NET_RAW', hint: 'needs CAP_NET_RAW' } as const) : {}
  return new SystemError(code, { syscall, ...missing })
}

function bufferOptions(socket: PackageSocket): BufferOptions {
  const int = Buffer.alloc(4)
  return {
    set(name, bytes) {
      try {
        socket.setOption(SOL_SOCKET, name, bytes)
        return true
      } catch {
        return false
      }
    },
    get(name) {
      socket.getOption(SOL_SOCKET, name, int, int.length)
      return int.readInt32LE()
    },
  }
}

function loadPackage(): RawSocketPackage {
  // Its events come on libuv's default loop (uv_poll_init_socket in its raw.cc), which is the main thread's.
  if (!isMainThread) throw refusal('the npm package raw-socket works on the main thread only')
  try {
    return createRequire(import.meta.url)('raw-socket') as RawSocketPackage
  } catch (cause) {
    const why =
      'the npm package raw-socket is not there or was not built (it needs a C++ compiler: apt-get install build-essential, then npm rebuild raw-socket)'
    throw Object.assign(refusal(why), { cause })
  }
}

function refusal(why: string): ConfigError {
  return new ConfigError('TSGRE_NO_RAW_SOCKET', 'io', 'raw-socket', `--io raw-socket: ${why}; or leave --io away`)
}
