// A worker that puts records of a known pattern into a ring as fast as it can until it is told to stop, and tells how many.

import { parentPort, workerData } from 'node:worker_threads'
import { FRAME, RecordFields } from '#tsgre/tunnel/capture-record.js'
import { CaptureWriter } from '#tsgre/tunnel/capture-ring.js'
import { octets } from '#tsgre/wire/octets.js'
import { patternOf } from './capture-pattern.js'

const { memory, stop } = workerData as { memory: SharedArrayBuffer; stop: Int32Array }
const writer = new CaptureWriter(memory)
const fields = new RecordFields()
fields.kind = FRAME
// Octet i is i: where a pattern begins with n, it is read from n on.
const ramp = octets(Uint8Array.from({ length: 65536 }, (_, i) => i & 0xff))
let number = 0
for (; Atomics.load(stop, 0) === 0; number++) {
  const { first, second } = patternOf(number)
  fields.time[0] = number
  const from = number & 0xff
  writer.put(fields, ramp, from, first, ramp, (from + first) & 0xff, ((from + first) & 0xff) + second)
}
parentPort!.postMessage(number)
