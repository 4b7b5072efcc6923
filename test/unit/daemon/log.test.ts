// The log: for a person or as JSON, and not the same for ever.

import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type LogOptions, openLog } from '#tsgre/daemon/log.js'
import { DropWatch } from '#tsgre/daemon/report-drops.js'
import { dropCounters, dropsByReason } from '#tsgre/drops.js'

const PLAIN: LogOptions = { format: 'auto', level: 'info', json: false, isTerminal: false }

function logged(given: Partial<LogOptions>, now = () => 0) {
  const lines: string[] = []
  return { lines, log: openLog({ ...PLAIN, ...given }, (line) => lines.push(line), now) }
}

test('is lines on a terminal, and where asked', () => {
  for (const given of [{ isTerminal: true }, { format: 'pretty' }] as const) {
    const { log, lines } = logged(given)
    log.warn('the TAP is down')
    log.info('it is up')
    assert.equal(lines, ['tsgre: warning: the TAP is down\n', 'tsgre: it is up\n'])
  }
})

test('is JSON elsewhere, where all output is, and where asked', () => {
  for (const given of [{}, { isTerminal: true, json: true }, { isTerminal: true, format: 'json' }] as const) {
    const { log, lines } = logged(given)
    log.warn('the TAP is down')
    const { time, ...rest } = JSON.parse(lines[0]!)
    assert.type(time, 'number')
    assert.equal(rest, { level: 'warn', event: 'warning', message: 'the TAP is down' })
  }
})

test('tells nothing below its level', () => {
  const { log, lines } = logged({ level: 'warn' })
  log.debug('a')
  log.info('b')
  log.error('c')
  assert.is(lines.length, 1)
})

test('tells the same five times in a minute, whatever numbers are in it, and then how often it was', () => {
  let now = 0
  const { log, lines } = logged({ format: 'pretty' }, () => now)
  for (let i = 0; i < 42; i++) log.warn(`${i} frames of 192.168.56.${i} were lost`)
  log.warn('something else')
  assert.is(lines.length, 6)
  now = 59_999
  log.warn('something else')
  assert.is(lines.length, 7)
  now = 60_000
  log.warn('7 frames of 192.168.56.7 were lost')
  assert.equal(lines.slice(7), [
    'tsgre: warning: 41 frames of 192.168.56.41 were lost (and 36 more in the last minute)\n',
    'tsgre: warning: 7 frames of 192.168.56.7 were lost\n',
  ])
})

test('tells at its end what it has only counted, once, and each level by itself', () => {
  const { log, lines } = logged({ format: 'pretty' })
  for (let i = 0; i < 7; i++) log.warn('lost')
  for (let i = 0; i < 6; i++) log.error('lost')
  assert.is(lines.length, 10)
  log.close()
  log.close()
  assert.equal(lines.slice(10), ['tsgre: warning: lost (and 1 more in the last minute)\n', 'tsgre: error: lost\n'])
})

test('a thousand kinds of messages are all told, and do not fill the memory', () => {
  const { log, lines } = logged({ format: 'pretty' })
  const kind = (i: number) => `kind ${String.fromCharCode(97 + (i % 26), 97 + ((i / 26) % 26), 97 + i / 676)}`
  for (let i = 0; i < 1000; i++) log.warn(kind(i))
  assert.is(lines.length, 1000)
})

test('drops are told where a hundred came since the last look, with whose they are and what to do', () => {
  const watch = new DropWatch()
  const drops = dropsByReason(dropCounters())
  const peers = (...counts: number[]) =>
    counts.map((count, i) => ({ remote: `192.0.2.${i}`, drops: { ...drops, 'no-route': count } }))
  assert.equal(watch.look('tap0', drops, peers(0, 0)), [])
  assert.equal(watch.look('tap0', { ...drops, 'no-route': 99, ecn: 100 }, peers(90, 9)), [
    'tap0: 100 frames were dropped in the last minute: ecn',
  ])
  const [line] = watch.look('tap0', { ...drops, 'no-route': 250, ecn: 100 }, peers(100, 150))
  assert.match(line!, /^tap0: 151 frames .*: no-route, 141 of them at 192\.0\.2\.1 \(this host has no way/)
})

test.run()
