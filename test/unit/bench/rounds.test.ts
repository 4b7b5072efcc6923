import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { inTurns, reasonOf } from '../../../bench/rounds.js'

const [a, b, c] = ['a', 'b', 'c'].map((name) => ({ name })) as [{ name: string }, { name: string }, { name: string }]

test('runs everyone once in each round, another one first each time', async () => {
  const order: string[] = []
  const results = await inTurns([a, b, c], 3, async ({ name }, round) => order.push(`${name}${round}`))
  assert.is(order.join(' '), 'a0 b0 c0 b1 c1 a1 c2 a2 b2')
  assert.equal([...results.keys()], [a, b, c])
})

test('goes on without one that cannot start, says so in one line, and does not try it again', async () => {
  const said: string[] = []
  const tried: string[] = []
  const run = async ({ name }: { name: string }) => {
    tried.push(name)
    if (name === 'b') throw new Error('spawn failed\nand much more\nno such file\n')
    return name
  }
  const results = await inTurns([a, b], 3, run, (line) => said.push(line))
  assert.equal(said, ['1 b is left out: spawn failed no such file'])
  assert.is(tried.filter((name) => name === 'b').length, 1)
  assert.equal(results.get(a), ['a', 'a', 'a'])
})

test('keeps the other rounds of one that fails once', async () => {
  const said: string[] = []
  const run = async (_: { name: string }, round: number) => {
    if (round === 1) throw new Error('once')
    return round
  }
  const results = await inTurns([a], 3, run, (line) => said.push(line))
  assert.equal(results.get(a), [0, undefined, 2])
  assert.equal(said, ['2 a has no result in this round: once'])
})

test('tells a long reason in one short line', () => {
  const reason = reasonOf(new Error(`${'x'.repeat(500)}\n\n  ${'y'.repeat(500)}\n`))
  assert.not.match(reason, /\n/)
  assert.ok(reason.length < 210)
})

test.run()
