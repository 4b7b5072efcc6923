// One GRE header in front of a frame: written, read, and both with a checksum over the whole packet.

import { ETH_P_TEB, emitGre, greHeader, parseGre, sealGre, verifyGre } from '#tsgre/wire/gre.js'
import { octets } from '#tsgre/wire/octets.js'
import { naiveEmitGre, naiveParseGre, naiveVerifyGre } from '../../test/rig/naive/naive-gre.js'
import { random } from '../../test/rig/random.js'
import { compare } from '../measure.js'

const START = 64
const FRAME = 1462

export function bench(): void {
  const payload = random(1).bytes(FRAME)
  const memory = octets(new Uint8Array(START + FRAME))
  memory.bytes.set(payload, START)
  const end = memory.bytes.length
  const header = { ...greHeader(), flags: 0x3000, protocol: ETH_P_TEB, key: 0xfffffffe, sequence: 0xf0000000 }
  const packet = naiveEmitGre({ key: header.key, sequence: header.sequence, payload })
  const sealed = naiveEmitGre({ checksum: 0, key: header.key, sequence: header.sequence, payload })

  compare(`emit key and sequence in front of ${FRAME} octets`, [
    { name: 'naive', run: (times) => repeat(times, (i) => naiveEmitGre({ key: i, sequence: i, payload }).length) },
    { name: 'tsgre', run: (times) => repeat(times, (i) => emitGre(memory.bytes, START + (i & 1), header)) },
  ])

  const out = greHeader()
  const start = emitGre(memory.bytes, START, header)
  compare('parse key and sequence', [
    { name: 'naive', run: (times) => repeat(times, () => (typeof naiveParseGre(packet) === 'object' ? 1 : 0)) },
    { name: 'tsgre', run: (times) => repeat(times, () => parseGre(memory.bytes, start, end, out)) },
  ])

  const withChecksum = { ...header, flags: 0xb000 }
  compare(`emit and seal ${FRAME} octets`, [
    { name: 'naive', run: (times) => repeat(times, (i) => naiveEmitGre({ checksum: 0, key: i, payload }).length) },
    {
      name: 'tsgre',
      run: (times) =>
        repeat(times, () => {
          const at = emitGre(memory.bytes, START, withChecksum)
          sealGre(memory, at, end)
          return at
        }),
    },
  ])

  const sealedMemory = octets(sealed)
  compare(`verify ${FRAME} octets`, [
    { name: 'naive', run: (times) => repeat(times, () => (naiveVerifyGre(sealed) ? 1 : 0)) },
    { name: 'tsgre', run: (times) => repeat(times, () => (verifyGre(sealedMemory, 0, sealed.length) ? 1 : 0)) },
  ])
}

function repeat(times: number, work: (i: number) => number): number {
  let total = 0
  for (let i = 0; i < times; i++) total += work(i)
  return total
}
