// The arrays of sendmmsg(2) and recvmmsg(2), read back from memory as the kernel reads them.

import koffi from 'koffi'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { MessageVector } from '#tsgre/io/message-vector.js'

const MESSAGES = 5

// struct mmsghdr, iovec and cmsghdr of LP64 Linux, written down a second time
const MMSGHDR = 64
const at = (address: number, bytes: number) => new DataView(koffi.view(BigInt(address), bytes))
const pointer = (view: DataView, offset: number) => Number(view.getBigUint64(offset, true))

/** Message i as the kernel would see it. */
function message(vector: MessageVector, i: number) {
  const header = at(vector.address + i * MMSGHDR, MMSGHDR)
  const iov = pointer(header, 16)
  const vec = at(iov, 16)
  return {
    name: pointer(header, 0),
    nameLength: header.getUint32(8, true),
    iov,
    iovLength: pointer(header, 24),
    base: pointer(vec, 0),
    length: pointer(vec, 8),
    control: pointer(header, 32),
    controlLength: pointer(header, 40),
    flags: header.getInt32(48, true),
  }
}

/** One control message: length, level, type and its int. */
function control(address: number): number[] {
  const view = at(address, 24)
  return [pointer(view, 0), view.getInt32(8, true), view.getInt32(12, true), view.getInt32(16, true)]
}

for (const [family, level, tos, ttl] of [
  [4, 0, 1, 2], // IPPROTO_IP: IP_TOS, IP_TTL
  [6, 41, 67, 52], // IPPROTO_IPV6: IPV6_TCLASS, IPV6_HOPLIMIT
] as const) {
  test(`wires each message to an iovec and a control buffer of its own (IPv${family})`, () => {
    const vector = new MessageVector(MESSAGES, family)
    const places = new Set<number>()
    for (let i = 0; i < MESSAGES; i++) {
      const { name, nameLength, iov, iovLength, control: controls, controlLength, flags } = message(vector, i)
      assert.equal([name, nameLength, iovLength, controlLength, flags], [0, 0, 1, 0, 0])
      places.add(iov).add(controls)
      assert.ok(iov % 8 === 0 && controls % 8 === 0, 'aligned as C aligns them')
      assert.ok(iov >= vector.address + MESSAGES * MMSGHDR, 'behind the messages')
    }
    assert.is(places.size, 2 * MESSAGES)
  })

  test(`writes payload, TOS and TTL where the kernel reads them (IPv${family})`, () => {
    const vector = new MessageVector(MESSAGES, family)
    const base = 0xf_ffff_8000_0010 // above 2^32: both halves of the pointer count
    for (let i = 0; i < MESSAGES; i++) {
      vector.setPayload(i, base + 100 * i, 60 + i)
      vector.setControl(i, 0xb8 + i, 30 + i)
    }
    for (let i = 0; i < MESSAGES; i++) {
      const it = message(vector, i)
      assert.equal([it.base, it.length, it.controlLength], [base + 100 * i, 60 + i, 48])
      assert.equal(control(it.control), [20, level, tos, 0xb8 + i])
      assert.equal(control(it.control + 24), [20, level, ttl, 30 + i])
    }
  })

  test(`leaves TTL 0 to the socket, and both when there is no control (IPv${family})`, () => {
    const vector = new MessageVector(MESSAGES, family)
    vector.setControl(2, 0x10, 0)
    assert.is(message(vector, 2).controlLength, 24)
    assert.equal(control(message(vector, 2).control), [20, level, tos, 0x10])
    vector.setNoControl(2)
    assert.is(message(vector, 2).controlLength, 0)
    assert.is(message(vector, 1).controlLength, 0)
    vector.setControl(2, 0, 255)
    assert.is(message(vector, 2).controlLength, 48)
  })
}

test('reads what the kernel wrote: length and flags', () => {
  const vector = new MessageVector(MESSAGES, 4)
  const kernel = at(vector.addressOf(3), MMSGHDR)
  kernel.setUint32(56, 1514, true)
  kernel.setInt32(48, 0x20, true)
  assert.equal([vector.receivedLength(3), vector.receivedFlags(3)], [1514, 0x20])
  assert.equal([vector.receivedLength(2), vector.receivedFlags(2)], [0, 0])
})

test('tells where each message lies', () => {
  const vector = new MessageVector(MESSAGES, 4)
  assert.is(vector.addressOf(0), vector.address)
  assert.is(vector.addressOf(4), vector.address + 4 * MMSGHDR)
})

test.run()
