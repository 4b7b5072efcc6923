// A folder by its descriptor, where others may rename it or put something in its place.

import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { HeldFolder } from '#tsgre/host/held-folder.js'

const TOP = mkdtempSync(join(tmpdir(), 'tsgre-held-'))
const at = (name: string) => join(TOP, name)
test.after(() => rmSync(TOP, { recursive: true }))

test('what is done in it is done in the folder that was opened, whatever has its path', () => {
  mkdirSync(at('made'), { mode: 0o700 })
  const folder = new HeldFolder(at('made'))
  assert.ok(folder.isPrivate)
  renameSync(at('made'), at('taken'))
  mkdirSync(at('made'))
  writeFileSync(folder.at('file'), '')
  folder.remove()
  assert.equal([readdirSync(TOP), readdirSync(at('taken'))], [['taken'], ['file']])
  folder.close()
  rmSync(at('taken'), { recursive: true })
})

test('a link to a folder is refused, and one that others may write to is not private', () => {
  mkdirSync(at('open'), { mode: 0o770 })
  symlinkSync('open', at('link'))
  assert.throws(() => new HeldFolder(at('link')), /ENOTDIR|ELOOP/)
  const folder = new HeldFolder(at('open'))
  assert.not.ok(folder.isPrivate)
  folder.close()
  for (const name of ['link', 'open']) rmSync(at(name), { recursive: true })
})

test.run()
