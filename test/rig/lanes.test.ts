// The lanes must neither lose a file nor let two disturb each other.

import { setImmediate as soon } from 'node:timers/promises'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { runInLanes } from './lanes.js'

const NAMES = [
  ...[
    'alloc/pump',
    'alloc/wire',
    'host/docker-live',
    'host/docker-restart',
    'host/links',
    'netns/docker',
    'netns/flood',
  ],
  ...[
    'netns/healing',
    'netns/killed',
    'netns/resilience',
    'netns/traffic',
    'netns/vlan',
    'netns/wire',
    'package/package',
    'unit/docs',
    'unit/wire/gre',
  ],
]

/** In which order the files began, and the sets of them that ran at the same time. */
async function ran(lanes: number, names = NAMES) {
  const order: string[] = []
  const together: string[][] = []
  const running = new Set<string>()
  await runInLanes(names, lanes, async (name) => {
    order.push(name)
    running.add(name)
    together.push([...running])
    for (let turns = name.length; turns > 0; turns--) await soon()
    running.delete(name)
  })
  return { order, together }
}

for (const lanes of [1, 2, 4]) {
  test(`runs every file once, in ${lanes} lane(s)`, async () => {
    const { order, together } = await ran(lanes)
    assert.equal([...order].sort(), [...NAMES].sort())
    assert.is(Math.max(...together.map(({ length }) => length)), lanes)
  })
}

test('runs what measures alone, after all others', async () => {
  const { order, together } = await ran(2)
  const measuring = ['netns/flood', 'netns/healing', 'netns/killed']
  assert.equal(order.slice(-measuring.length), measuring)
  for (const name of measuring)
    assert.equal(
      together.filter((set) => set.includes(name)),
      [[name]],
    )
})

test('never runs two files with engines at the same time', async () => {
  const { together } = await ran(4)
  for (const set of together) assert.ok(set.filter((name) => name.includes('docker')).length <= 1, set.join(', '))
})

test('runs nothing but engines in one lane after the other', async () => {
  const engines = ['host/docker-live', 'netns/docker', 'netns/docker-firewall']
  const { order, together } = await ran(2, engines)
  assert.equal(order, engines)
  assert.equal(
    together,
    engines.map((name) => [name]),
  )
})

test.run()
