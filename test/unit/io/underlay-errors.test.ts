import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { DROP } from '#tsgre/drops.js'
import { isFatal, sendDropCode } from '#tsgre/io/underlay-errors.js'
import { ERRNO, errnoName } from '#tsgre/sys/errno.js'
import { tableUnder } from '../../rig/notes.js'

const PAGE = 'native-notes/raw-socket.md'
const drops = tableUnder(PAGE, 'Errors and drops', 'errno,drop,met when').rows
const fatal = tableUnder(PAGE, 'Errors and drops', 'errno,meaning').rows.map(({ errno }) => errno!)

test('counts every errno of the note under the drop the note names', () => {
  for (const { errno, drop } of drops) {
    assert.ok(drop! in DROP, `${drop} is no drop`)
    assert.is(sendDropCode(ERRNO[errno!]!), DROP[drop as keyof typeof DROP], errno)
  }
})

test('counts every other errno as no-route, also one without a name', () => {
  const noted = new Set(drops.map(({ errno }) => ERRNO[errno!]))
  for (const value of [...Object.values(ERRNO), 0, 4095]) {
    if (!noted.has(value)) assert.is(sendDropCode(value), DROP['no-route'], errnoName(value))
  }
})

test('ends the tunnel for the errno values of the note and for no other', () => {
  const ends = Object.values(ERRNO).filter(isFatal).map(errnoName)
  assert.equal(ends.sort(), fatal.sort())
  assert.not(isFatal(0))
})

test.run()
