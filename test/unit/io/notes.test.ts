import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { DROP_ALL, greFilter } from '#tsgre/io/gre-filter.js'
import { number, tablesOf } from '../../rig/notes.js'

const FOUR = { address: Uint8Array.of(192, 0, 2, 2), keyIn: undefined }
const SIX = { address: Uint8Array.of(0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2), keyIn: undefined }

const PROGRAMS = {
  'Drop everything': DROP_ALL,
  'IPv4, from 192.0.2.2, no key': greFilter(4, [FOUR]),
  'IPv6, from 2001:db8::2, no key': greFilter(6, [SIX]),
  'IPv4, from 192.0.2.2, key 42': greFilter(4, [{ ...FOUR, keyIn: 42 }]),
}

test('every filter program of the notes is the one the code makes, and no other is noted', () => {
  const noted = tablesOf('native-notes/bpf.md').filter(({ columns }) => columns.join() === '#,code,jt,jf,k,meaning')
  assert.equal(
    noted.map(({ heading }) => heading),
    Object.keys(PROGRAMS),
  )
  for (const { heading, rows } of noted) {
    const program = rows.map(({ code, jt, jf, k }) => [code, jt, jf, k].map((cell) => number(cell!)))
    assert.equal(program, PROGRAMS[heading as keyof typeof PROGRAMS], heading)
    assert.equal(
      rows.map((row) => number(row['#']!)),
      rows.map((_, index) => index),
      `${heading}: numbers of the instructions`,
    )
  }
})

test('a keyed filter of IPv6 is that of IPv4 with GRE in front, behind its own way to tell the sender', () => {
  const keyed = greFilter(6, [{ ...SIX, keyIn: 42 }])
  assert.equal(keyed.slice(0, 9), PROGRAMS['IPv6, from 2001:db8::2, no key'].slice(0, 9))
  assert.equal(keyed[10], PROGRAMS['IPv6, from 2001:db8::2, no key'][10])
  assert.equal(keyed.slice(11), PROGRAMS['IPv4, from 192.0.2.2, key 42'].slice(5))
})

test.run()
