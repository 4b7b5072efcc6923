import { existsSync } from 'node:fs'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import * as abi from '#tsgre/sys/abi.js'
import * as constants from '#tsgre/sys/constants.js'
import { ERRNO } from '#tsgre/sys/errno.js'
import { number, pagesOf, sources, structuresOf, tablesOf, tableUnder, textOf } from '../../rig/notes.js'
import { ROOT } from '../../rig/root.js'

const PAGES = pagesOf('native-notes')
const structures = PAGES.flatMap(structuresOf)

test('every structure of the notes lies in src/sys/abi.ts as the note says, field by field', () => {
  const layouts: Record<string, { size: number; at: object }> = abi
  for (const { page, name, code, size, fields } of structures) {
    assert.ok(layouts[code], `${page}: src/sys/abi.ts has no ${code}`)
    assert.is(code, name.toUpperCase(), `${page}: struct ${name}`)
    assert.is(layouts[code].size, size, `${page}: size of struct ${name}`)
    assert.equal(layouts[code].at, fields, `${page}: fields of struct ${name}`)
  }
})

test('every structure of src/sys/abi.ts has its note, once', () => {
  assert.equal(structures.map(({ code }) => code).sort(), Object.keys(abi).sort())
})

test('every structure says where it comes from', () => {
  for (const { page, name, source } of structures)
    assert.match(source, /`include\/[\w/-]+\.h`/, `${page}: struct ${name}`)
})

test('no field lies over another, nor behind the end, save in the union of ifreq', () => {
  for (const { name, size, fields } of structures) {
    let end = 0
    for (const [field, { offset, size: bytes }] of Object.entries(fields)) {
      if (name !== 'ifreq' || field === 'ifr_name') assert.ok(offset >= end, `${name}.${field} starts inside another`)
      end = offset + bytes
      assert.ok(end <= size, `${name}.${field} ends behind the structure`)
    }
  }
})

test('every constant of the notes has its value in src/sys/constants.ts, and the other way round', () => {
  const { rows } = tableUnder('native-notes/constants.md', 'Constants')
  const noted = Object.fromEntries(rows.map(({ name, value }) => [name!, number(value!)]))
  assert.is(Object.keys(noted).length, rows.length, 'a constant is listed twice')
  assert.equal(noted, { ...constants })
})

test('every constant of the notes names its header', () => {
  for (const { name, header } of tableUnder('native-notes/constants.md', 'Constants').rows)
    assert.match(header!, /^`include\/[\w/-]+\.h`$/, name)
})

test('the errno values of the notes are those of src/sys/errno.ts', () => {
  for (const { name, value } of tableUnder('native-notes/errno.md', 'errno').rows)
    assert.is(ERRNO[name!], number(value!), name)
})

test('every errno name that src looks at is noted, and no other', () => {
  const seen = new Set<string>()
  for (const text of sources().values()) {
    for (const [name] of text.matchAll(/\bE[A-Z0-9]{2,}\b/g)) if (name in ERRNO) seen.add(name)
  }
  const noted = tableUnder('native-notes/errno.md', 'errno').rows.map(({ name }) => name!)
  assert.equal(noted.sort(), [...seen].sort())
})

test('every errno name that a table of the notes uses exists', () => {
  for (const page of PAGES) {
    for (const { columns, rows } of tablesOf(page)) {
      if (!columns.includes('errno')) continue
      for (const name of rows.flatMap(({ errno }) => errno!.split(', '))) assert.ok(name in ERRNO, `${page}: ${name}`)
    }
  }
})

test('the list of the notes names every page, and every page exists', () => {
  const listed = [...textOf('native-notes/README.md').matchAll(/^\| \[([\w-]+\.md)\]\(\1\) \|/gm)].map(
    ([, name]) => name,
  )
  assert.equal(listed.map((name) => `native-notes/${name}`).sort(), PAGES)
})

test('every note that a comment of src points at exists', () => {
  for (const path of sources().keys()) {
    for (const [page] of textOf(`src/${path}`).matchAll(/native-notes\/[\w-]+\.md/g))
      assert.ok(existsSync(new URL(page, ROOT)), `src/${path} points at ${page}`)
  }
})

test('every file of src, docs and test that a note points at exists', () => {
  for (const page of [...PAGES, 'native-notes/README.md']) {
    for (const [, path] of textOf(page).matchAll(/`((?:src|docs|test)\/[\w./-]+\.(?:ts|md))`/g)) {
      if (path!.startsWith('src/koffi') || path!.startsWith('src/raw')) continue // files of those packages
      assert.ok(existsSync(new URL(path!, ROOT)), `${page} points at ${path}`)
    }
  }
})

test.run()
