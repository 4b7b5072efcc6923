import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { DROP } from '#tsgre/drops.js'
import { ETH_P_8021AD, ETH_P_8021Q, ETH_P_ARP, ETH_P_IP, ethernetHeader, peekEthernet } from '#tsgre/wire/ethernet.js'
import { naiveEthernet } from '../../rig/naive/naive-ethernet.js'
import { random } from '../../rig/random.js'

/** Twelve octets of addresses, then the given 16-bit numbers. */
function frameOf(...numbers: number[]): Uint8Array {
  return Uint8Array.of(...new Uint8Array(12).fill(2), ...numbers.flatMap((number) => [number >>> 8, number & 0xff]))
}

function peek(frame: Uint8Array, length = frame.length) {
  const out = ethernetHeader()
  return { length: peekEthernet(frame, 0, length, out), ...out }
}

test('reads a header without tags', () => {
  assert.equal(peek(frameOf(ETH_P_ARP)), { length: 14, etherType: ETH_P_ARP, vlan: -1, tags: 0 })
})

test('looks behind one tag and behind two, and names the outermost VLAN without its priority', () => {
  const one = frameOf(ETH_P_8021Q, 0xe064, ETH_P_IP)
  assert.equal(peek(one), { length: 18, etherType: ETH_P_IP, vlan: 100, tags: 1 })
  const two = frameOf(ETH_P_8021AD, 0x0fff, ETH_P_8021Q, 0x0064, ETH_P_IP)
  assert.equal(peek(two), { length: 22, etherType: ETH_P_IP, vlan: 4095, tags: 2 })
})

test('tells VLAN 0 from no VLAN', () => {
  assert.is(peek(frameOf(ETH_P_8021Q, 0x2000, ETH_P_IP)).vlan, 0)
  assert.is(peek(frameOf(ETH_P_IP)).vlan, -1)
})

test('leaves a third tag as the EtherType', () => {
  const three = frameOf(ETH_P_8021Q, 1, ETH_P_8021Q, 2, ETH_P_8021Q, 3, ETH_P_IP)
  assert.equal(peek(three), { length: 22, etherType: ETH_P_8021Q, vlan: 1, tags: 2 })
})

test('keeps a length of IEEE 802.3 as it is', () => {
  assert.is(peek(frameOf(38)).etherType, 38)
})

test('refuses a frame cut anywhere inside its header', () => {
  const frame = frameOf(ETH_P_8021AD, 5, ETH_P_8021Q, 6, ETH_P_IP)
  for (let cut = 0; cut < 22; cut++) assert.is(peek(frame, cut).length, -DROP.truncated, `${cut} octets`)
  assert.is(peek(frame, 22).length, 22)
})

test('forgets the VLAN of the frame before', () => {
  const out = { etherType: 1, vlan: 7, tags: 2 }
  peekEthernet(frameOf(ETH_P_IP), 0, 14, out)
  assert.equal(out, { etherType: ETH_P_IP, vlan: -1, tags: 0 })
})

test('agrees with the naive twin on random frames', () => {
  const dice = random(1)
  const types = [ETH_P_8021Q, ETH_P_8021AD, ETH_P_IP, 38, 0x8101]
  for (let i = 0; i < 20_000; i++) {
    const pad = dice.below(4)
    const bytes = dice.bytes(pad + dice.below(30))
    for (const at of [12, 16, 20]) {
      const type = types[dice.below(types.length)]
      if (pad + at + 2 <= bytes.length) bytes.set([type >>> 8, type & 0xff], pad + at)
    }
    const twin = naiveEthernet(bytes.slice(pad))
    const out = ethernetHeader()
    const length = peekEthernet(bytes, pad, bytes.length, out)
    assert.is(length, twin?.length ?? -DROP.truncated, `round ${i}`)
    if (twin === undefined) continue
    assert.equal(out, { etherType: twin.etherType, vlan: twin.vlans[0] ?? -1, tags: twin.vlans.length }, `round ${i}`)
  }
})

test.run()
