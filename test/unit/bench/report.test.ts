import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { FIGURES, type Figures, type Round } from '../../../bench/netns/figures.js'
import { PEERS, peersNamed } from '../../../bench/netns/peers.js'
import { figuresTable, markdown, pictures, svg } from '../../../bench/netns/report.js'
import type { Results } from '../../../bench/netns/results.js'
import { judge, TARGETS, targetsTable } from '../../../bench/netns/targets.js'
import { parseWords } from '../../../bench/words.js'

function round(figures: Partial<Figures>): Round {
  const none = Object.fromEntries(Object.keys(FIGURES).map((name) => [name, Number.NaN])) as Figures
  return { figures: { ...none, ...figures }, details: {} }
}

/** Gbit/s in each round by peer; undefined where it failed. */
function streams(rates: Record<string, (number | undefined)[]>): Results {
  return new Map(
    Object.entries(rates).map(([name, all]) => [
      peersNamed([name])[0]!,
      all.map((rate) => (rate === undefined ? undefined : round({ forth: rate, back: rate }))),
    ]),
  )
}

test('takes the median of the ratios within each round, not the ratio of the medians', () => {
  const text = targetsTable(streams({ ovs: [1, 2, 4], tsgre: [4, 4, 4] }))
  assert.match(text, /\| tsgre : ovs +\| 3\.00 at least +\| 2\.00 \(1\.00–4\.00\) +\| short/)
})

test('leaves a round that one of the two did not finish out of their ratio', () => {
  const text = targetsTable(streams({ ovs: [1, undefined, 1], tsgre: [3, 100, 3] }))
  assert.match(text, /\| 3\.00 \(3\.00–3\.00\) +\| reached/)
})

test('names a target whose peer never ran, and none whose peer was not asked for', () => {
  const text = targetsTable(streams({ ovs: [undefined], tsgre: [3] }))
  assert.match(text, /tsgre : ovs .* not run/)
  assert.not.match(text, /direct-wire/)
  assert.is(targetsTable(streams({ direct: [1] })), '')
})

test('judges a figure as it is shown', () => {
  assert.is(judge({ at: 'least', limit: 3 }, [2.996], 2), 'reached')
  assert.is(judge({ at: 'least', limit: 3 }, [2.994], 2), 'short')
  assert.is(judge({ at: 'most', limit: 0 }, [0.04], 1), 'reached')
  assert.is(judge({ at: 'most', limit: 0 }, [0.06], 1), 'short')
  assert.is(judge({ at: 'most', limit: 0 }, [], 1), 'not run')
})

test('has a peer for every name in the figures to reach', () => {
  const known = new Set(PEERS.map(({ name }) => name))
  const unknown = TARGETS.flatMap(({ peers }) => peers).filter((name) => !known.has(name!))
  assert.equal(unknown, [])
  assert.is(known.size, PEERS.length)
})

test('leaves a peer without a result out of tables and pictures, and says why in the report', () => {
  const results = streams({ direct: [2], openvpn: [undefined] })
  assert.not.match(figuresTable(results), /openvpn/)
  assert.not.match(pictures(results), /openvpn/)
  assert.not.match(svg(results, 1), /OpenVPN/)
  assert.match(markdown(results, 'how', false, ['1 openvpn is left out: not there']), /- 1 openvpn is left out/)
})

test('saves a run of all peers, and one of named peers only when told', () => {
  const usual = { peers: PEERS, seconds: 3 }
  assert.equal(parseWords([], usual), { peers: PEERS, all: true, rounds: 5, seconds: 3, save: true })
  const named = parseWords(['tsgre', '--rounds', '1'], usual)
  assert.is(typeof named === 'object' && named.save, false)
  const told = parseWords(['tsgre', '--save'], usual)
  assert.is(typeof told === 'object' && told.save, true)
})

test('says what is wrong with words it does not know', () => {
  const said = (...words: string[]) => String(parseWords(words, { peers: PEERS, seconds: 3 }))
  assert.match(said('gretap'), /^no peer named gretap; there are direct, /)
  assert.match(said('--rounds', '0'), /^--rounds 0: /)
  assert.match(said('--seconds', 'long'), /^--seconds long: /)
  assert.match(said('--fast'), /--fast/)
})

test.run()
