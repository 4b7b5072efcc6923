// A peer that answers, one that does not, and one that does so no more, with a clock of the test's own.

import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { DOWN, Keepalive, UNKNOWN, UP } from '#tsgre/tunnel/keepalive.js'
import { LEAST_PROBE_BYTES } from '#tsgre/wire/probe-frame.js'

const NAMES = ['unknown', 'up', 'down']

interface Question {
  at: number
  nonce0: number
  nonce1: number
}

class Peer {
  readonly keepalive: Keepalive
  readonly asked: Question[] = []
  /** What it said of the peer, each time that changed. */
  readonly changes: string[] = []
  now = 5000
  /** After how many milliseconds a question is answered; undefined: never. */
  answers: ((question: Question) => number | undefined) | undefined
  room = true
  readonly #flying: { at: number; question: Question }[] = []
  #last = UNKNOWN

  constructor(interval = 1, count = 3, index = 9) {
    this.keepalive = new Keepalive(index, interval, count, {
      ask: (peer, size, nonce0, nonce1) => {
        assert.equal([peer, size], [index, LEAST_PROBE_BYTES])
        if (!this.room) return false
        const question = { at: this.now, nonce0, nonce1 }
        this.asked.push(question)
        const delay = this.answers?.(question)
        if (delay !== undefined) this.#flying.push({ at: this.now + delay, question })
        return true
      },
    })
  }

  run(ms: number): this {
    for (const end = this.now + ms; this.now < end; this.now += 5) {
      if (this.now >= this.keepalive.next) this.keepalive.tick(this.now)
      for (const { question } of this.#flying.filter(({ at }) => at <= this.now && at > this.now - 5))
        assert.ok(this.keepalive.hear(question.nonce0, question.nonce1, this.now))
      const { state } = this.keepalive
      if (state !== this.#last) this.changes.push(NAMES[state]!)
      this.#last = state
    }
    return this
  }
}

test('a peer that answers is up after a second at most, and is asked once in an interval', () => {
  const peer = new Peer(2)
  peer.answers = () => 20
  assert.equal(peer.run(1050).changes, ['up'])
  const before = peer.asked.length
  peer.run(60_000)
  assert.ok(peer.asked.length - before >= 30 && peer.asked.length - before <= 34, `${peer.asked.length}`)
  assert.equal(peer.changes, ['up'])
  assert.is(peer.keepalive.lastRtt, 20)
  assert.is(peer.keepalive.rtt, 20)
  assert.is(peer.keepalive.loss, 0)
})

test('who never answers stays unknown, and is asked once in ten seconds', () => {
  const peer = new Peer(1).run(101_000)
  assert.is(peer.keepalive.state, UNKNOWN)
  assert.ok(peer.asked.length >= 10 && peer.asked.length <= 12, `${peer.asked.length}`)
  assert.ok(Number.isNaN(peer.keepalive.rtt) && Number.isNaN(peer.keepalive.loss))
  const slow = new Peer(60).run(301_000)
  assert.ok(slow.asked.length >= 5 && slow.asked.length <= 7, `${slow.asked.length}`)
})

test('is down after so many questions in a row without an answer, not one fewer, and goes on asking', () => {
  for (const count of [1, 3, 10]) {
    const peer = new Peer(1, count)
    peer.answers = () => 10
    peer.run(5000)
    peer.answers = undefined
    const answered = peer.asked.length
    while (peer.keepalive.state === UP) peer.run(5)
    assert.is(peer.asked.length - answered, count + 1, 'the last is missed when the next is asked')
    const { length } = peer.asked
    peer.run(10_000)
    assert.ok(peer.asked.length - length >= 9 && peer.asked.length - length <= 12)
    assert.is(peer.keepalive.state, DOWN)
    peer.answers = () => 10
    assert.equal(peer.run(1100).changes, ['up', 'down', 'up'])
  }
})

test('one answer between losses is enough', () => {
  const peer = new Peer(1, 3)
  peer.answers = () => (peer.asked.length % 3 === 0 ? 10 : undefined)
  peer.run(200_000)
  assert.equal(peer.changes, ['up'])
  assert.ok(Math.abs(peer.keepalive.loss - 2 / 3) < 0.05, `${peer.keepalive.loss}`)
})

test('an answer that comes later than the next question is one, and its round trip counts', () => {
  const peer = new Peer(1, 3)
  peer.answers = () => 2500
  peer.run(60_000)
  assert.equal(peer.changes, ['up'])
  assert.is(peer.keepalive.rtt, 2500)
})

test('smooths the round trip, and knows the last one', () => {
  const peer = new Peer(1)
  peer.answers = () => 100
  peer.run(10_000)
  peer.answers = () => 180
  const { length } = peer.asked
  while (peer.asked.length === length || peer.keepalive.lastRtt === 100) peer.run(5)
  assert.equal([peer.keepalive.rtt, peer.keepalive.lastRtt], [110, 180])
})

test('believes no nonce twice, none of another, and none half right', () => {
  const peer = new Peer(1)
  peer.run(1050)
  const [{ nonce0, nonce1 }] = peer.asked as [Question]
  const { keepalive } = peer
  for (const [a, b] of [
    [nonce1, nonce0],
    [nonce0 ^ 1, nonce1],
    [nonce0, nonce1 ^ 1],
    [0, 0],
  ] as const)
    assert.not(keepalive.hear(a, b, peer.now))
  assert.is(keepalive.state, UNKNOWN)
  assert.ok(keepalive.hear(nonce0, nonce1, peer.now))
  assert.not(keepalive.hear(nonce0, nonce1, peer.now))
  const { asked } = new Peer().run(500_000)
  assert.is(new Set(asked.map((question) => question.nonce0)).size, asked.length, 'and no two are the same')
})

test('a peer that asks is asked soon; one that is down, too', () => {
  const peer = new Peer(20)
  peer.run(2500)
  assert.is(peer.asked.length, 1)
  peer.keepalive.noticed()
  peer.answers = () => 10
  assert.is(peer.run(50).keepalive.state, UP)
  peer.answers = undefined
  peer.run(100_000)
  assert.is(peer.keepalive.state, DOWN)
  const { length } = peer.asked
  peer.keepalive.noticed()
  peer.run(1050)
  assert.is(peer.asked.length, length + 1)
})

test("an answer to somebody else's question of this tunnel brings a peer up, and it is asked as such", () => {
  const peer = new Peer(1).run(2000)
  peer.keepalive.answered(peer.now)
  assert.is(peer.keepalive.state, UP)
  const { length } = peer.asked
  peer.run(1050)
  assert.is(peer.asked.length, length + 1)
  peer.run(5000)
  assert.is(peer.keepalive.state, DOWN)
})

test('what found no room is asked soon again, and is not missed', () => {
  const peer = new Peer(1, 1)
  peer.answers = () => 10
  peer.run(3000)
  peer.room = false
  peer.run(10_000)
  assert.is(peer.keepalive.state, UP)
  peer.room = true
  const { length } = peer.asked
  peer.run(100)
  assert.is(peer.asked.length, length + 1)
})

test('64 peers are not asked at the same time, neither at first nor later', () => {
  const peers = Array.from({ length: 64 }, () => new Peer(10).run(60_000))
  for (const which of [0, 5]) {
    const times = peers.map(({ asked }) => asked[which]!.at)
    assert.ok(new Set(times).size > 40, `${new Set(times).size} moments`)
  }
})

test.run()
