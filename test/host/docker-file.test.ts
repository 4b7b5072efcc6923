// daemon.json there and back on a real filesystem. What stands on disk is compared as a whole: a file too many is a
// failure too.

import { existsSync } from 'node:fs'
import { chmod, chown, mkdir, readFile, readlink, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { undoDaemonJson } from '#tsgre/host/docker-file.js'
import { applied, inDirectory, OLD, tree } from './daemon-file.js'

test('writes the plan with mode and owner of the file, and undo puts all back byte for byte', () =>
  inDirectory(async (root) => {
    const path = join(root, 'daemon.json')
    await writeFile(path, OLD)
    await chmod(path, 0o640)
    await chown(path, 1234, 4321)
    const before = await tree(root)

    const { backup } = await applied(path)
    assert.is(backup, `${path}.before-tsgre`)
    const after = await tree(root)
    assert.equal(Object.keys(after), ['daemon.json', 'daemon.json.before-tsgre', 'daemon.json.tsgre'])
    assert.is(after['daemon.json'], '640 1234:4321 {\n  "icc": false,\n  "mtu": 1462\n}\n')
    assert.is(after['daemon.json.before-tsgre'], before['daemon.json'])

    assert.equal(await undoDaemonJson(path), { path, outcome: 'restored' })
    assert.equal(await tree(root), before)
  }))

test('makes file and directories where there were none, 0644, and undo removes them', () =>
  inDirectory(async (root) => {
    const path = join(root, 'etc', 'docker', 'daemon.json')
    const mask = process.umask(0o077)
    try {
      assert.is((await applied(path)).backup, undefined)
    } finally {
      process.umask(mask)
    }
    assert.is((await stat(path)).mode & 0o777, 0o644)
    assert.equal(await undoDaemonJson(path), { path, outcome: 'removed' })
    assert.equal(await tree(root), {})
  }))

test('undo leaves a directory in which somebody put a file', () =>
  inDirectory(async (root) => {
    const path = join(root, 'etc', 'docker', 'daemon.json')
    await applied(path)
    await writeFile(join(root, 'etc', 'docker', 'key.json'), 'theirs')
    await undoDaemonJson(path)
    assert.equal(Object.keys(await tree(root)), ['etc', 'etc/docker', 'etc/docker/key.json'])
  }))

test('undo leaves a directory that was there before', () =>
  inDirectory(async (root) => {
    await applied(join(root, 'daemon.json'))
    await undoDaemonJson(join(root, 'daemon.json'))
    assert.ok(existsSync(root))
    assert.equal(await tree(root), {})
  }))

test('writes what a symlink leads to, and the symlink stays', () =>
  inDirectory(async (root) => {
    await mkdir(join(root, 'real', 'deep'), { recursive: true })
    await mkdir(join(root, 'etc'))
    await symlink('../real/deep', join(root, 'etc', 'docker'))
    await writeFile(join(root, 'real', 'conf.json'), OLD)
    // Relative to the real directory, not to the path as typed.
    await symlink('../conf.json', join(root, 'real', 'deep', 'daemon.json'))
    const before = await tree(root)
    const path = join(root, 'etc', 'docker', 'daemon.json')

    assert.is((await applied(path)).path, join(root, 'real', 'conf.json'))
    assert.match(await readFile(join(root, 'real', 'conf.json'), 'utf8'), '"mtu": 1462')
    assert.is(await readlink(path), '../conf.json')
    await undoDaemonJson(path)
    assert.equal(await tree(root), before)
  }))

test('makes the file that a symlink leads to and that is not there', () =>
  inDirectory(async (root) => {
    await symlink('conf.json', join(root, 'daemon.json'))
    const before = await tree(root)
    await applied(join(root, 'daemon.json'))
    assert.is(await readFile(join(root, 'conf.json'), 'utf8'), '{\n  "mtu": 1462\n}\n')
    await undoDaemonJson(join(root, 'daemon.json'))
    assert.equal(await tree(root), before)
  }))

test('applied twice, undo still leads to the first file', () =>
  inDirectory(async (root) => {
    const path = join(root, 'daemon.json')
    await writeFile(path, OLD)
    const before = await tree(root)
    await applied(path)
    await applied(path, { bip: '10.103.100.1/24', mtu: 1400 })
    assert.is(await readFile(`${path}.before-tsgre`, 'utf8'), OLD)
    assert.equal(await undoDaemonJson(path), { path, outcome: 'restored' })
    assert.equal(await tree(root), before)
  }))

test('undo twice does nothing the second time', () =>
  inDirectory(async (root) => {
    const path = join(root, 'daemon.json')
    await writeFile(path, OLD)
    await applied(path)
    await undoDaemonJson(path)
    const before = await tree(root)
    assert.equal(await undoDaemonJson(path), { path, outcome: 'nothing' })
    assert.equal(await tree(root), before)
  }))

test('revert goes back one apply, undo all the way', () =>
  inDirectory(async (root) => {
    const path = join(root, 'daemon.json')
    await writeFile(path, OLD)
    const before = await tree(root)
    const first = await applied(path)
    const between = await tree(root)
    const second = await applied(path, { mtu: 1400 })
    await second.revert()
    assert.equal(await tree(root), between)
    await first.revert()
    assert.equal(await tree(root), before)
  }))

test.run()
