// The search for the largest packet that comes back, with a way in place of ping(8) that loses what it is told to lose.

import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { HostError } from '#tsgre/errors.js'
import { pathPing } from '#tsgre/host/path-ping.js'

const REMOTE = { text: '192.0.2.2', family: 4 } as const

/** `ping -c COUNT -s SIZE` of which those come back for which `passes` says so; told the packet's size and the ping's number. */
function way(passes: (size: number, number: number) => boolean) {
  let asked = 0
  const argv: (readonly string[])[] = []
  const run = async (_: string, args: readonly string[]) => {
    argv.push(args)
    const count = Number(args[args.indexOf('-c') + 1])
    const size = Number(args[args.indexOf('-s') + 1]) + 28
    const received = Array.from({ length: count }, () => passes(size, ++asked)).filter(Boolean).length
    const said = `${count} packets transmitted, ${received} received, time 0ms\n`
    if (received === 0) throw new HostError('TSGRE_COMMAND_FAILED', 'ping', '', said)
    return said
  }
  return { run, argv }
}

test('where the first ping comes back, no other is sent', async () => {
  const { run, argv } = way(() => true)
  assert.equal(await pathPing({ ...REMOTE, dev: 'eth1' }, () => 1500, run), { passes: 1500, known: 1500 })
  const words = '-4 -n -q -I eth1 -M do -c 1 -i 0.2 -W 1 -s 1472 192.0.2.2'
  assert.equal(
    argv.map((args) => args.join(' ')),
    [words],
  )
})

test('a few lost pings of the full size are no box that drops it', async () => {
  for (const lost of [1, 2, 5]) {
    let full = 0
    const { run } = way((size) => size < 1500 || ++full > lost)
    assert.equal(await pathPing(REMOTE, () => 1500, run), { passes: 1500, known: 1500 }, `${lost} lost`)
  }
})

test('finds the largest that comes back, whatever else gets lost now and then', async () => {
  for (const fits of [576, 577, 1400, 1499]) {
    const { run } = way((size, number) => size <= fits && number % 7 !== 0)
    assert.equal(await pathPing(REMOTE, () => 1500, run), { passes: fits, known: 1500 })
  }
})

test('where nothing comes back, also on a way no wider than the least, nothing passes', async () => {
  const { run } = way(() => false)
  assert.equal(await pathPing(REMOTE, () => 1500, run), { passes: 0, known: 1500 })
  assert.equal(await pathPing(REMOTE, () => 576, run), { passes: 0, known: 576 })
})

test.run()
