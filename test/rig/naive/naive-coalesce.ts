// Which frames go together, found by asking for each one: is it, octet for octet, the segment that cutting the superframe
// so far would give next? The oracle of offload/coalesce.ts and its 1.00× in bench/micro.
// Invariant: shares no line and no constant with it.

import { naiveSegment } from './naive-segment.js'
import { type NaiveTransport, naiveIsPartial, naiveTransport } from './naive-transport.js'

interface Open {
  members: number[]
  head: Uint8Array
  at: NaiveTransport
  /** Octets of payload so far. */
  ahead: number
  /** How much the IPv4 id grows from one to the next, once a second one has told. */
  step?: number
}

/** The frames by their numbers: those of a superframe together, at the place of its first. */
export function naiveCoalesce(frames: readonly Uint8Array[], udp = true): number[][] {
  const groups: number[][] = []
  const open = new Map<string, Open>()
  for (const [i, frame] of frames.entries()) {
    const at = naiveTransport(frame)
    if (at === 'unclear') open.clear()
    if (typeof at === 'string') {
      groups.push([i])
      continue
    }
    const flow = flowOf(frame, at)
    const group = open.get(flow)
    if (group && goesOn(group, frame, at)) {
      group.members.push(i)
      if (isLast(group, frame, at)) open.delete(flow)
      continue
    }
    open.delete(flow)
    const members = [i]
    groups.push(members)
    if (begins(frame, at, udp)) open.set(flow, { members, head: frame, at, ahead: at.stop - at.payload })
  }
  return groups
}

function flowOf(frame: Uint8Array, at: NaiveTransport): string {
  const addresses = at.version === 4 ? frame.slice(at.ip + 12, at.ip + 20) : frame.slice(at.ip + 8, at.ip + 40)
  return `${addresses} ${frame.slice(at.transport, at.transport + 4)}`
}

function begins(frame: Uint8Array, at: NaiveTransport, udp: boolean): boolean {
  if (at.payload === at.stop || at.stop < frame.length || naiveIsPartial(frame, at)) return false
  if (at.transport - at.ip !== (at.version === 4 ? 20 : 40)) return false
  if (at.protocol === 17) return udp && isSegment(frame, at, frame, at, 0, 0)
  const flags = frame[at.transport + 13].toString(2).padStart(8, '0')
  return /^0.010000$/.test(flags) && frame[at.transport + 12] % 16 === 0
}

/** Adds the frame to the superframe if it is its next segment. */
function goesOn(group: Open, frame: Uint8Array, at: NaiveTransport): boolean {
  const { head, members, ahead } = group
  const size = at.stop - at.payload
  if (size === 0 || size > group.at.stop - group.at.payload || at.stop < frame.length) return false
  if (members.length === 64 || group.at.payload - group.at.ip + ahead + size > 65535) return false
  if (!isSegment(head, group.at, head, group.at, 0, 0)) return false
  const fixed = at.version === 4 && Math.floor(head[group.at.ip + 6] / 64) % 2 === 1
  const steps = group.step === undefined ? (fixed ? [0, 1] : [1]) : [group.step]
  const step = steps.find((step) => isSegment(frame, at, head, group.at, step * members.length, ahead))
  if (step === undefined) return false
  group.step = step
  group.ahead += size
  return true
}

/** Whether the frame is the superframe's segment at this place, as its last one would be; FIN and PSH are its own. */
function isSegment(
  frame: Uint8Array,
  at: NaiveTransport,
  head: Uint8Array,
  headAt: NaiveTransport,
  index: number,
  ahead: number,
): boolean {
  if (at.payload !== headAt.payload || at.transport !== headAt.transport) return false
  const template = head.slice(0, headAt.payload)
  if (at.protocol === 6) template[at.transport + 13] |= frame[at.transport + 13] & 0b00001001
  const expected = naiveSegment(template, headAt, index, ahead, frame.slice(at.payload, at.stop), true)
  return Buffer.compare(expected, frame) === 0
}

function isLast(group: Open, frame: Uint8Array, at: NaiveTransport): boolean {
  const short = at.stop - at.payload < group.at.stop - group.at.payload
  return short || (at.protocol === 6 && (frame[at.transport + 13] & 0b00001001) !== 0)
}
