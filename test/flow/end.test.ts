// One tunnel, its far side played by the test.

import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { receive, send } from '../rig/batches.js'
import { dropsOf, oneEnd, settle } from '../rig/ends.js'
import { ETH_P_IP, ethernet, ipv4, plainFrame } from '../rig/frames.js'
import { naiveEmitGre } from '../rig/naive/naive-gre.js'
import { LOCAL, REMOTE } from '../rig/settings.js'

const FRAME = plainFrame(60)
const PACKET = naiveEmitGre({ payload: FRAME })

test('a packet of every wrong version is counted and not delivered', async () => {
  const end = await oneEnd()
  const packets = [1, 2, 3, 4, 5, 6, 7].map((version) =>
    Uint8Array.from(PACKET, (octet, i) => (i === 1 ? version : octet)),
  )
  send(end.underlay, packets)
  await settle([end])
  assert.equal(receive(end.overlay), [])
  assert.equal(dropsOf(end), { 'bad-version': 7 })
})

test('a plain packet cut at every byte is counted as truncated until a whole Ethernet header is there', async () => {
  const end = await oneEnd()
  for (let size = 0; size <= PACKET.length; size++) {
    send(end.underlay, [PACKET.subarray(0, size)])
    await settle([end])
    const delivered = receive(end.overlay)
    if (size < 18) assert.equal(delivered, [])
    else assert.equal(delivered, [FRAME.subarray(0, size - 4)])
    assert.equal(dropsOf(end), { truncated: Math.min(size + 1, 18) })
  }
})

test('a packet with all options cut at every byte is counted under one reason each', async () => {
  const end = await oneEnd({ keyIn: 42, checksum: true, sequence: true })
  const whole = naiveEmitGre({ checksum: 0, key: 42, sequence: 0, payload: FRAME })
  for (let size = 0; size < whole.length; size++) send(end.underlay, [whole.subarray(0, size)])
  await settle([end])
  assert.equal(receive(end.overlay), [])
  assert.equal(dropsOf(end), { truncated: 30, checksum: whole.length - 30 })
  send(end.underlay, [whole])
  await settle([end])
  assert.equal(receive(end.overlay), [FRAME])
})

test('a frame that is our own packet coming back is dropped as loop, its neighbours are carried', async () => {
  const end = await oneEnd({ sequence: true })
  const own = ethernet(
    ETH_P_IP,
    ipv4({ protocol: 47, source: [...LOCAL], destination: [...REMOTE], payload: [...PACKET] }),
  )
  send(end.overlay, [FRAME, own, own, FRAME])
  await settle([end])
  const numbers = receive(end.underlay).map((packet) => packet[7])
  assert.equal(numbers, [0, 1])
  assert.equal(dropsOf(end), { loop: 2 })
  assert.equal([end.stats().txFrames, end.stats().txBytes], [2, 120])
})

test('a packet from none of ours is counted as unknown-peer', async () => {
  const end = await oneEnd()
  send(end.underlay, [PACKET, PACKET], -1)
  send(end.underlay, [PACKET])
  await settle([end])
  assert.equal(receive(end.overlay), [FRAME])
  assert.equal(dropsOf(end), { 'unknown-peer': 2 })
})

test('a frame shorter than an Ethernet header is counted on its way out', async () => {
  const end = await oneEnd()
  send(end.overlay, [FRAME.subarray(0, 13), FRAME])
  await settle([end])
  assert.equal(receive(end.underlay), [PACKET])
  assert.equal(dropsOf(end), { truncated: 1 })
})

for (const driver of ['Pump', 'runTunnel'] as const) {
  test(`${driver}: while paused frames are counted as loop and packets still received; then all goes on`, async () => {
    const end = await oneEnd({}, { driver })
    end.pause(true)
    send(end.overlay, [FRAME, FRAME, FRAME])
    send(end.underlay, [PACKET])
    await settle([end])
    assert.equal(receive(end.underlay), [])
    assert.equal(receive(end.overlay), [FRAME])
    assert.equal(dropsOf(end), { loop: 3 })
    end.pause(false)
    send(end.overlay, [FRAME])
    await settle([end])
    assert.equal(receive(end.underlay), [PACKET])
    assert.equal(dropsOf(end), { loop: 3 })
    await end.close()
  })
}

test('a turn carries one batch a direction, and says whether there was anything to do', async () => {
  const end = await oneEnd()
  assert.not(end.turn())
  send(
    end.overlay,
    Array.from({ length: 100 }, () => FRAME),
  )
  send(
    end.underlay,
    Array.from({ length: 100 }, () => PACKET),
  )
  assert.ok(end.turn())
  assert.equal([end.stats().txFrames, end.stats().rxFrames], [64, 64])
  assert.ok(end.turn())
  assert.equal([end.stats().txFrames, end.stats().rxFrames], [100, 100])
  assert.not(end.turn())
})

test('a frame that does not fit, and is no IP, is counted, the rest is carried', async () => {
  const end = await oneEnd({ keyOut: 1, tunnelMtu: 1000 }, { mtu: 1100 })
  send(end.overlay, [plainFrame(1015), FRAME, plainFrame(1014)])
  await settle([end])
  assert.equal(
    receive(end.underlay).map((packet) => packet.length),
    [68, 1022],
  )
  assert.equal(dropsOf(end), { 'too-big': 1 })
  assert.equal([end.stats().txFrames, end.stats().txBytes], [2, 1074])
})

test.run()
