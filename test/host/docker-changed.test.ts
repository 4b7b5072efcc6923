// daemon.json when somebody else edits it, or a crash came between: nothing of theirs is lost.

import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { planDaemonJson } from '#tsgre/host/docker-config.js'
import { applyDaemonJson, undoDaemonJson } from '#tsgre/host/docker-file.js'
import { applied, inDirectory, MTU, OLD, tree } from './daemon-file.js'
import { errorOf } from './script.js'

test('undo refuses a file that was edited since, and does it with force', () =>
  inDirectory(async (root) => {
    const path = join(root, 'daemon.json')
    await writeFile(path, OLD)
    const before = await tree(root)
    await applied(path)
    await writeFile(path, '{"mtu": 1400}')
    const edited = await tree(root)
    const error = await errorOf(() => undoDaemonJson(path))
    assert.is(error.name, 'HostError')
    assert.is(error.code, 'TSGRE_FILE_CHANGED')
    assert.match(error.message, `${path} was edited since tsgre wrote it`)
    assert.equal(await tree(root), edited)

    assert.equal(await undoDaemonJson(path, true), { path, outcome: 'restored' })
    assert.equal(await tree(root), before)
  }))

test('undo refuses a file that was removed since, and brings it back with force', () =>
  inDirectory(async (root) => {
    const path = join(root, 'daemon.json')
    await writeFile(path, OLD)
    const before = await tree(root)
    await applied(path)
    await rm(path)
    assert.match((await errorOf(() => undoDaemonJson(path))).message, 'was removed since')
    await undoDaemonJson(path, true)
    assert.equal(await tree(root), before)
  }))

test('an edit between two applies is not lost by an undo without force', () =>
  inDirectory(async (root) => {
    const path = join(root, 'daemon.json')
    await writeFile(path, OLD)
    await applied(path)
    await writeFile(path, '{"debug": true, "mtu": 1462}')
    await applied(path, { mtu: 1400 })
    assert.is((await errorOf(() => undoDaemonJson(path))).code, 'TSGRE_FILE_CHANGED')
    assert.match(await readFile(path, 'utf8'), '"debug": true')
    // Nor after one more apply, which finds just what tsgre wrote.
    await applied(path, { mtu: 1300 })
    assert.is((await errorOf(() => undoDaemonJson(path))).code, 'TSGRE_FILE_CHANGED')
  }))

test('an edit back to the file as it was leaves nothing to undo', () =>
  inDirectory(async (root) => {
    const path = join(root, 'daemon.json')
    await writeFile(path, OLD)
    const before = await tree(root)
    await applied(path)
    await writeFile(path, OLD)
    assert.equal(await undoDaemonJson(path), { path, outcome: 'nothing' })
    assert.equal(await tree(root), before)
  }))

test('undo refuses an edited backup, and cannot do without one', () =>
  inDirectory(async (root) => {
    const path = join(root, 'daemon.json')
    await writeFile(path, OLD)
    await applied(path)
    await writeFile(`${path}.before-tsgre`, 'edited')
    assert.match((await errorOf(() => undoDaemonJson(path))).message, 'daemon.json.before-tsgre was edited')
    await rm(`${path}.before-tsgre`)
    for (const force of [false, true])
      assert.match((await errorOf(() => undoDaemonJson(path, force))).message, 'daemon.json.before-tsgre is gone')
    assert.match(await readFile(path, 'utf8'), '"mtu": 1462')
  }))

test('does not overwrite a backup it does not know', () =>
  inDirectory(async (root) => {
    const path = join(root, 'daemon.json')
    await writeFile(path, OLD)
    await writeFile(`${path}.before-tsgre`, 'somebody else')
    const before = await tree(root)
    assert.is((await errorOf(() => applied(path))).code, 'TSGRE_FILE_CHANGED')
    assert.equal(await tree(root), before)
  }))

test('a state that is not ours is refused in words', () =>
  inDirectory(async (root) => {
    const path = join(root, 'daemon.json')
    await writeFile(path, OLD)
    for (const text of ['', '{}', 'null', '{"applied": 1}']) {
      await writeFile(`${path}.tsgre`, text)
      assert.is((await errorOf(() => applied(path))).code, 'TSGRE_FILE_CHANGED', text)
      assert.is((await errorOf(() => undoDaemonJson(path))).code, 'TSGRE_FILE_CHANGED', text)
    }
    assert.is(await readFile(path, 'utf8'), OLD)
  }))

test('an edit between plan and apply stops the apply, and nothing is left of it', () =>
  inDirectory(async (root) => {
    const path = join(root, 'etc', 'daemon.json')
    for (const [planned, then] of [
      [OLD, '{"icc": true}'],
      [undefined, OLD],
      [OLD, undefined],
    ] as const) {
      await rm(join(root, 'etc'), { recursive: true, force: true })
      if (then !== undefined) {
        await mkdir(join(root, 'etc'))
        await writeFile(path, then)
      }
      const before = await tree(root)
      const error = await errorOf(() => applyDaemonJson(path, planDaemonJson(planned, MTU)))
      assert.is(error.code, 'TSGRE_FILE_CHANGED')
      assert.match(error.message, 'plan it again')
      assert.equal(await tree(root), before)
    }
  }))

test('after a crash before the file was replaced, undo clears up and apply starts afresh', () =>
  inDirectory(async (root) => {
    const path = join(root, 'daemon.json')
    await writeFile(path, OLD)
    const before = await tree(root)
    const crash = async (withBackup: boolean) => {
      await applied(path)
      await writeFile(path, OLD)
      if (!withBackup) await rm(`${path}.before-tsgre`)
    }
    for (const withBackup of [true, false]) {
      await crash(withBackup)
      assert.is((await undoDaemonJson(path)).outcome, 'nothing')
      assert.equal(await tree(root), before)

      await crash(withBackup)
      await applied(path, { mtu: 1400 })
      assert.is((await undoDaemonJson(path)).outcome, 'restored')
      assert.equal(await tree(root), before)
    }
  }))

test.run()
