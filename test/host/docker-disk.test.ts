// daemon.json where the filesystem refuses: the old file stands, and no other is left.

import { readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { planDaemonJson } from '#tsgre/host/docker-config.js'
import { applyDaemonJson, readDaemonJson, undoDaemonJson } from '#tsgre/host/docker-file.js'
import { execute } from '#tsgre/host/execute.js'
import { applied, inDirectory, MTU, OLD, onTmpfs, tree } from './daemon-file.js'
import { errorOf } from './script.js'

test('a directory that is a symlink to nothing, or a file, is refused', () =>
  inDirectory(async (root) => {
    await symlink('nowhere', join(root, 'etc'))
    await writeFile(join(root, 'file'), '')
    const before = await tree(root)
    const apply = (...path: string[]) =>
      errorOf(() => applyDaemonJson(join(root, ...path), planDaemonJson(undefined, MTU)))
    assert.is((await apply('etc', 'daemon.json')).code, 'ENOENT')
    assert.is((await apply('etc', 'docker', 'daemon.json')).code, 'ENOENT')
    assert.is((await apply('file', 'daemon.json')).code, 'ENOTDIR')
    assert.is((await apply('file', 'docker', 'daemon.json')).code, 'ENOTDIR')
    assert.equal(await tree(root), before)
  }))

test('refuses symlinks in a circle', () =>
  inDirectory(async (root) => {
    await symlink('b', join(root, 'a'))
    await symlink('a', join(root, 'b'))
    const error = await errorOf(async () => applyDaemonJson(join(root, 'a'), planDaemonJson(undefined, MTU)))
    assert.is(error.code, 'ELOOP')
  }))

test('refuses a file that is not UTF-8', () =>
  inDirectory(async (root) => {
    const path = join(root, 'daemon.json')
    await writeFile(path, Buffer.from([0x7b, 0xff, 0x7d]))
    const error = await errorOf(() => readDaemonJson(path))
    assert.is(error.code, 'TSGRE_BAD_DAEMON_JSON')
    assert.is(error.message, `${path}: not UTF-8 text`)
  }))

test('a directory in place of the file is a SystemError', () =>
  inDirectory(async (root) => {
    const error = await errorOf(() => readDaemonJson(root))
    assert.is(error.name, 'SystemError')
    assert.is(error.code, 'EISDIR')
  }))

test('a full disk leaves the old file and no other, for the first apply and the second', () =>
  onTmpfs('size=64k', async (root) => {
    const path = join(root, 'daemon.json')
    // One page each for file, state and backup: what is planned needs more than is left.
    const long = `{\n  "x": "${'y'.repeat(6000)}"\n}\n`
    await writeFile(path, long)
    const fill = async () => {
      const filler = join(root, 'filler')
      await writeFile(filler, Buffer.alloc(128 * 1024)).catch((error: NodeJS.ErrnoException) =>
        assert.is(error.code, 'ENOSPC'),
      )
    }
    const refused = async () => {
      await fill()
      const before = await tree(root)
      const error = await errorOf(() => applied(path, { mtu: 1400 }))
      assert.is(error.name, 'SystemError')
      assert.is(error.code, 'ENOSPC')
      assert.match(error.message, /no space left on device; no file was changed/)
      assert.equal(await tree(root), before)
      await rm(join(root, 'filler'))
    }
    await refused()
    await applied(path)
    await refused()
    await undoDaemonJson(path)
    assert.is(await readFile(path, 'utf8'), long)
  }))

test('a disk that fills up in the middle leaves the old file and no other', async () => {
  // Room for one, two, … more pages: the writing fails at another of the three files each time.
  const seen = new Set<string>()
  for (let pages = 1; pages <= 12; pages++) {
    await onTmpfs(`size=${8 + pages * 4}k`, async (root) => {
      const path = join(root, 'daemon.json')
      await writeFile(path, `{\n  "x": "${'y'.repeat(6000)}"\n}\n`).catch(() => {})
      const before = await tree(root)
      if (!before['daemon.json']?.endsWith('}\n')) return
      try {
        await applied(path)
        seen.add('applied')
      } catch (error) {
        assert.is((error as { code: string }).code, 'ENOSPC')
        assert.equal(await tree(root), before)
        seen.add('refused')
        return
      }
      await undoDaemonJson(path)
      assert.equal(await tree(root), before)
    })
  }
  assert.equal([...seen].sort(), ['applied', 'refused'])
})

test('a read-only filesystem leaves all as it was and says so', () =>
  onTmpfs('size=64k', async (root) => {
    const path = join(root, 'daemon.json')
    await writeFile(path, OLD)
    const before = await tree(root)
    await execute('mount', ['-o', 'remount,ro', root])
    const error = await errorOf(() => applied(path))
    assert.is(error.code, 'EROFS')
    assert.is(error.message, `open(${path}): EROFS (read-only file system; no file was changed)`)
    assert.equal(await tree(root), before)
    assert.is((await errorOf(() => applied(join(root, 'new', 'daemon.json')))).code, 'EROFS')
  }))

test('a file mounted on its own is refused, and nothing is left beside it', () =>
  inDirectory(async (root) => {
    const path = join(root, 'daemon.json')
    await writeFile(path, OLD)
    await writeFile(join(root, 'mounted'), OLD)
    const before = await tree(root)
    await execute('mount', ['--bind', join(root, 'mounted'), path])
    try {
      const error = await errorOf(() => applied(path))
      assert.is(error.code, 'EBUSY')
      assert.match(error.message, 'a file mounted on its own cannot be replaced')
      assert.equal(await tree(root), before)
    } finally {
      await execute('umount', [path])
    }
  }))

test.run()
