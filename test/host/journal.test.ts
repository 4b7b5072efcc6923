// The journal's file where the disk is full, where a process was killed in the middle of it, and where another network namespace
// has one of the same name.

import { appendFileSync, existsSync, readdirSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { putBack } from '#tsgre/daemon/report-setup.js'
import type { Change } from '#tsgre/host/change.js'
import { Changes } from '#tsgre/host/changes.js'
import { cleanUp } from '#tsgre/host/cleanup.js'
import { Journal, namespace } from '#tsgre/host/journal.js'
import { inDirectory, onTmpfs } from './daemon-file.js'
import { errorOf } from './script.js'

/** As the run directory. */
async function running<T>(root: string, body: () => Promise<T>): Promise<T> {
  const before = process.env.TSGRE_RUN_DIR
  process.env.TSGRE_RUN_DIR = root
  try {
    return await body()
  } finally {
    if (before === undefined) delete process.env.TSGRE_RUN_DIR
    else process.env.TSGRE_RUN_DIR = before
  }
}

function change(index: number): Change {
  const network = `10.103.${index}.0/24`
  return {
    what: `route ${network} dev nowhere0`,
    action: { run: ['true'] },
    undo: { kind: 'route', network, dev: 'nowhere0' },
  }
}

/** Takes all the room there is; returns how to give it back. */
function fill(root: string): () => void {
  const filler = join(root, 'filler')
  try {
    for (;;) appendFileSync(filler, Buffer.alloc(1024))
  } catch (error) {
    assert.is((error as NodeJS.ErrnoException).code, 'ENOSPC')
  }
  return () => unlinkSync(filler)
}

function refusal(changes: Changes, wanted: Change): Promise<unknown> {
  return changes.make([wanted]).then(
    () => undefined,
    (error) => error,
  )
}

function journalOf(tap: string): Journal {
  return Journal.all().find((journal) => journal.tap === tap)!
}

const nothing = async () => ''

test('a line that a full disk cut is no part of the next one: what is made once there is room is read again', () =>
  onTmpfs('size=16k', (root) =>
    running(root, async () => {
      const changes = new Changes(nothing, Journal.of('tapx'))
      let index = 0
      // Not far from the end of its page, of which the disk has no second one.
      for (; index < 36; index++) await changes.make([change(index)])
      const empty = fill(root)
      let refused: unknown
      for (; refused === undefined; index++) refused = await refusal(changes, change(index))
      const cut = index - 1
      assert.is((refused as { code: string }).code, 'ENOSPC')
      empty()
      await changes.make([change(cut)])
      await changes.make([change(index)])
      const read = journalOf('tapx').entries.map(({ what }) => what)
      assert.equal(
        read,
        Array.from({ length: index + 1 }, (_, each) => change(each).what),
      )
    }),
  ))

test('a journal that a full disk has no room for leaves no file, and is written once there is room', () =>
  onTmpfs('size=16k', (root) =>
    running(root, async () => {
      const empty = fill(root)
      const record = Journal.of('tapx')
      assert.is((await errorOf(async () => record.add(change(0)))).code, 'ENOSPC')
      assert.equal(readdirSync(root), ['filler'])
      empty()
      record.add(change(1))
      assert.equal(
        journalOf('tapx').entries.map(({ what }) => what),
        [change(1).what],
      )
    }),
  ))

test('cleanup removes a journal that was killed before it had its name, and none of another namespace', () =>
  inDirectory((root) =>
    running(root, async () => {
      const number = namespace().split('/')[1]!
      for (const name of [`tap0@${number}.journal.new`, `tap0@9${number}.journal.new`])
        writeFileSync(join(root, name), '')
      assert.equal(await cleanUp(), [])
      assert.equal(readdirSync(root), [`tap0@9${number}.journal.new`])
    }),
  ))

test('a journal of another namespace is not replaced, also where it came after the name was chosen', () =>
  inDirectory((root) =>
    running(root, async () => {
      const [boot, number] = namespace().split('/') as [string, string]
      const foreign = `${JSON.stringify({ tap: 'tapx', pid: 1, namespace: `${boot}/9${number}` })}\n`
      const short = join(root, 'tapx.journal')
      const late = Journal.of('tapx')
      writeFileSync(short, foreign)
      late.add(change(0))
      const early = Journal.of('tapx')
      assert.is(early.path, late.path)
      assert.is(readFileSync(short, 'utf8'), foreign)
      assert.equal(readdirSync(root).sort(), ['tapx.journal', `tapx@${number}.journal`])
      late.keep([])
      assert.equal(readdirSync(root), ['tapx.journal'])
    }),
  ))

test('a journal of an earlier boot tells of nothing, and its name is free', () =>
  inDirectory((root) =>
    running(root, async () => {
      const record = Journal.of('tapx')
      const { path } = record
      writeFileSync(path, `${JSON.stringify({ tap: 'tapx', pid: 1, namespace: 'earlier/1' })}\n`)
      record.add(change(0))
      assert.is(record.path, path)
      assert.equal(
        journalOf('tapx').entries.map(({ what }) => what),
        [change(0).what],
      )
    }),
  ))

test('what cannot be written at the end is told apart from what could not be taken back', async () => {
  const refused = new Error('unlink(/run/tsgre/tap0.journal): EACCES')
  const keep = () => {
    throw refused
  }
  const changes = new Changes(nothing, { add: () => {}, keep })
  await changes.make([change(0)])
  assert.equal(await changes.unwind(), [])
  assert.is(changes.stale, refused)

  const said: string[] = []
  const report = { warn: (text: string) => void said.push(text) } as unknown as Parameters<typeof putBack>[1]
  const journal = { path: '/run/tsgre/tap0.journal', error: refused }
  await putBack({ undo: async () => ({ failures: [], journal }) }, report)
  assert.match(said.join('\n'), /^this host was put back, and only .*EACCES; .*`rm \/run\/tsgre\/tap0\.journal`/)
  assert.not.match(said.join('\n'), 'could not put')
})

test('an empty run directory stays as it is', () =>
  inDirectory((root) =>
    running(root, async () => {
      const path = join(root, 'none')
      process.env.TSGRE_RUN_DIR = path
      assert.equal(await cleanUp(), [])
      assert.not.ok(existsSync(path))
    }),
  ))

test.run()
