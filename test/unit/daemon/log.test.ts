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
  now = 60_000
  log.warn('7 frames of 192.168.56.7 were lost')
  assert.equal(lines.slice(6), [
    'tsgre: warning: 37 more like the next one were not written\n',
    'tsgre: warning: 7 frames of 192.168.56.7 were lost\n',
  ])
})

test('drops are told where a hundred came since the last look, with what to do', () => {
  const watch = new DropWatch()
  const drops = dropsByReason(dropCounters())
  assert.equal(watch.look('tap0', drops), [])
  assert.equal(watch.look('tap0', { ...drops, 'no-route': 99, ecn: 100 }), [
    'tap0: 100 frames were dropped in the last minute: ecn',
  ])
  const [line] = watch.look('tap0', { ...drops, 'no-route': 250, ecn: 100 })
  assert.match(line!, /^tap0: 151 frames were dropped in the last minute: no-route \(this host has no way/)
})

test.run()
