import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { DROP_ALL, greFilter } from '#tsgre/io/gre-filter.js'
import { number, tablesOf } from '../../rig/notes.js'

const PROGRAMS = {
  'Drop everything': DROP_ALL,
  'IPv4, no key': greFilter(4, undefined),
  'IPv6, no key': greFilter(6, undefined),
  'IPv4, key 42': greFilter(4, 42),
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

test('a keyed filter of IPv6 is that of IPv4 with GRE in front', () => {
  const [first, ...rest] = greFilter(6, 42)
  assert.equal(first, PROGRAMS['IPv6, no key'][0])
  assert.equal(rest, PROGRAMS['IPv4, key 42'].slice(1))
})

test.run()
