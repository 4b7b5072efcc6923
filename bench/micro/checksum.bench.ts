// The checksum over packets of usual lengths, from an aligned start and from the two that a GRE header makes.

import { checksum } from '#tsgre/wire/checksum.js'
import { octets } from '#tsgre/wire/octets.js'
import { naiveChecksum } from '../../test/rig/naive/naive-checksum.js'
import { random } from '../../test/rig/random.js'
import { compare } from '../measure.js'

export function bench(): void {
  const memory = octets(random(1).bytes(65536 + 4))
  for (const length of [20, 64, 1460, 65536]) {
    for (const start of length === 1460 ? [0, 1, 2] : [0]) {
      const end = start + length
      compare(`checksum of ${length} octets from offset ${start}`, [
        { name: 'naive', run: (times) => repeat(times, () => naiveChecksum(memory.bytes, start, end)) },
        { name: 'tsgre', run: (times) => repeat(times, () => checksum(memory, start, end)) },
      ])
    }
  }
}

function repeat(times: number, work: () => number): number {
  let total = 0
  for (let i = 0; i < times; i++) total += work()
  return total
}
