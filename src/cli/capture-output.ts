// Where a capture goes: a file, a program behind a pipe, or a person's terminal. Each takes whole blocks, and writes what it has
// taken when it is flushed.

import { closeSync, fchmodSync, fstatSync, openSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { ConfigError, SystemError } from '../errors.js'
import { octets } from '../wire/octets.js'
import { emitStatistics, MOST_BLOCK_BYTES, PACKET_DATA, type PcapngPacket } from '../wire/pcapng.js'
import { linkTypeOf, readPacket, readStatistics } from '../wire/read-pcapng.js'
import { packetLine } from './packet-line.js'

export interface Output {
  /** Takes a block; whether it was a packet. */
  take(block: DataView): boolean
  flush(): Promise<void>
  /** Makes whole what was written. */
  close(): void
  /** Packets that nobody read fast enough. */
  readonly lost: number
}

/** What is written somewhere: false when its reader has gone. */
type Write = (bytes: Uint8Array) => Promise<void>

export class PcapngOutput implements Output {
  lost = 0
  readonly #write: Write
  readonly #end: (last: Uint8Array) => void
  readonly #packet = pcapngPacket()
  #blocks: Uint8Array[] = []
  #packets = 0
  #begun = false
  #counted = false

  constructor(write: Write, end: (last: Uint8Array) => void) {
    this.#write = write
    this.#end = end
  }

  take(block: DataView): boolean {
    this.#begun = true
    this.#blocks.push(new Uint8Array(block.buffer, block.byteOffset, block.byteLength))
    const counts = readStatistics(block, 0, block.byteLength)
    if (counts) this.lost = counts.dropped
    this.#counted = counts !== undefined
    const isPacket = readPacket(block, 0, block.byteLength, this.#packet)
    if (isPacket) this.#packets++
    return isPacket
  }

  async flush(): Promise<void> {
    const bytes = Buffer.concat(this.#blocks)
    this.#blocks = []
    if (bytes.length > 0) await this.#write(bytes)
  }

  /** A capture that was broken off has no statistics yet. */
  close(): void {
    const memory = octets(new Uint8Array(MOST_BLOCK_BYTES))
    const missing = this.#begun && !this.#counted
    const length = missing ? emitStatistics(memory, 0, Date.now(), this.#packets + this.lost, this.lost) : 0
    this.#end(Buffer.concat([...this.#blocks, memory.bytes.subarray(0, length)]))
    this.#blocks = []
  }
}

export class LineOutput implements Output {
  lost = 0
  readonly #write: Write
  readonly #packet = pcapngPacket()
  #lines: string[] = []
  #linkType = 0

  constructor(write: Write) {
    this.#write = write
  }

  take(block: DataView): boolean {
    const { byteLength } = block
    const linkType = linkTypeOf(block, 0, byteLength)
    if (linkType >= 0) this.#linkType = linkType
    this.lost = readStatistics(block, 0, byteLength)?.dropped ?? this.lost
    const packet = this.#packet
    if (!readPacket(block, 0, byteLength, packet)) return false
    const bytes = new Uint8Array(block.buffer, block.byteOffset + PACKET_DATA, packet.captured)
    this.#lines.push(packetLine(this.#linkType, packet, bytes))
    return true
  }

  async flush(): Promise<void> {
    const lines = this.#lines
    this.#lines = []
    if (lines.length > 0) await this.#write(Buffer.from(`${lines.join('\n')}\n`))
  }

  close(): void {}
}

function pcapngPacket(): PcapngPacket {
  return { time: 0, captured: 0, original: 0, direction: 0, comment: new Uint8Array(0) }
}

/**
 * A file that only its owner may read: it has what others say to one another. Opened at the first block, so that a capture that
 * cannot begin leaves alone what was there.
 * @throws SystemError
 */
export function fileOutput(path: string): Output {
  let fd = -1
  const write = (bytes: Uint8Array) => {
    if (fd < 0) fd = openPrivate(path)
    for (let at = 0; at < bytes.length; ) at += failing(`write(${path})`, () => writeSync(fd, bytes, at))
  }
  const end = (last: Uint8Array) => {
    if (fd < 0 && last.length === 0) return
    try {
      write(last)
    } finally {
      if (fd >= 0) closeSync(fd)
    }
  }
  return new PcapngOutput(async (bytes) => write(bytes), end)
}

function openPrivate(path: string): number {
  const call = () => {
    const fd = openSync(path, 'w', 0o600)
    if (fstatSync(fd).isFile()) fchmodSync(fd, 0o600)
    return fd
  }
  return failing(`open(${path})`, call, (errno) => `--write ${path}: ${REASONS[errno]?.(path) ?? 'name another file'}`)
}

const REASONS: Readonly<Record<string, (path: string) => string>> = {
  ENOENT: (path) => `there is no directory ${dirname(path)}; make it, or name another file`,
  EACCES: (path) => `writing there is forbidden (\`ls -ld ${dirname(path)}\` shows its mode); name another file`,
  EISDIR: () => 'that is a directory; name a file in it',
}

function failing<T>(syscall: string, call: () => T, hintFor?: (errno: string) => string): T {
  try {
    return call()
  } catch (error) {
    const { code = 'EIO' } = error as NodeJS.ErrnoException
    throw new SystemError(code, { syscall, ...(hintFor && { hint: hintFor(code) }) })
  }
}

/**
 * The program behind the pipe.
 * @throws ConfigError TSGRE_BAD_OPTION where that is a terminal
 */
export function pipeOutput(stream: NodeJS.WriteStream): Output {
  if (stream.isTTY) {
    const wayOut = 'pipe it, `tsgre capture -w - | tshark -r -`, or name a file'
    throw new ConfigError('TSGRE_BAD_OPTION', 'write', '-', `-w -: a terminal cannot show a pcapng; ${wayOut}`)
  }
  return new PcapngOutput(drained(stream), (last) => last.length > 0 && stream.write(last))
}

export function lineOutput(stream: NodeJS.WriteStream): Output {
  return new LineOutput(drained(stream))
}

/** Writes, and waits where the reader is slower; or for its end. */
function drained(stream: NodeJS.WriteStream): Write {
  return (bytes) => new Promise((resolve) => stream.write(bytes, () => resolve()))
}
