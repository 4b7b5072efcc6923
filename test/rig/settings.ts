// Pump settings for tests, and the variants of GRE that most of them go through.

import type { PumpSettings } from '#tsgre/tunnel/settings.js'

export const LOCAL = Uint8Array.of(192, 0, 2, 1)
export const REMOTE = Uint8Array.of(192, 0, 2, 2)

/** The settings of a tunnel without options, and what is given. */
export function settings(given: Partial<PumpSettings> = {}): PumpSettings {
  return {
    keyOut: undefined,
    keyIn: undefined,
    checksum: false,
    receiveChecksum: 'accept',
    sequence: false,
    peers: undefined,
    reorder: { packets: 64, ms: 10 },
    keepalive: undefined,
    carrier: false,
    loopGuard: false, // frames of one sender go both ways here
    floodLimit: 0,
    tos: 0,
    ttl: 64,
    fragment: 'never',
    oversize: 'answer',
    clampMss: true,
    tunnelMtu: 0,
    probe: false,
    udpPort: undefined,
    flows: 1,
    local: LOCAL,
    remote: REMOTE,
    ...given,
  }
}

/** The other end's. */
export function mirrored(mine: PumpSettings): PumpSettings {
  return { ...mine, keyIn: mine.keyOut, keyOut: mine.keyIn, local: mine.remote, remote: mine.local }
}

export const VARIANTS: Readonly<Record<string, Partial<PumpSettings>>> = {
  plain: {},
  key: { keyIn: 7, keyOut: 42 },
  csum: { checksum: true },
  seq: { sequence: true },
  all: { keyIn: 0xffff_ffff, keyOut: 0x8000_0001, checksum: true, sequence: true },
}
