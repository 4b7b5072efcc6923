// A folder by its descriptor, where others may rename it or put something in its place.

import {
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { findDeadSockets, removeDeadSockets } from '#tsgre/host/dead-sockets.js'
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

/** Of a server that is gone. */
async function deadSocket(path: string): Promise<void> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(at('s'), resolve))
  linkSync(at('s'), path)
  await new Promise((resolve) => server.close(resolve)) // takes the name away that it knows
}

test('a dead socket goes with the folder in which it was made, and other files in that stay', async () => {
  for (const name of ['.new-a', '.new-b']) mkdirSync(at(name), { mode: 0o700 })
  await deadSocket(at('.new-a/s'))
  await deadSocket(at('.new-b/s'))
  await deadSocket(at('tap0.sock'))
  writeFileSync(at('.new-b/mine'), '')
  assert.is((await findDeadSockets(TOP)).length, 3)
  await removeDeadSockets(TOP)
  assert.equal([readdirSync(TOP), readdirSync(at('.new-b'))], [['.new-b'], ['mine']])
  rmSync(at('.new-b'), { recursive: true })
})

test('a link that takes the place of such a folder leads to no file elsewhere', async () => {
  mkdirSync(at('.new-a'), { mode: 0o700 })
  mkdirSync(at('elsewhere'))
  await deadSocket(at('.new-a/passwd'))
  await deadSocket(at('elsewhere/passwd'))
  const removing = removeDeadSockets(TOP) // has looked who is there
  renameSync(at('.new-a'), at('taken'))
  symlinkSync('elsewhere', at('.new-a'))
  await removing
  assert.ok(lstatSync(at('elsewhere/passwd')).isSocket())
})

test.run()
