// The restart of dockerd, with a systemctl of ours in a mount namespace where systemd seems to run, or not.

import { chmod, mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type Ended, MAIN, run } from './command.js'
import { inDirectory } from './daemon-file.js'

/** Runs `tsgre docker …` where systemd seems to run and `systemctl` is a script; gives also what it was asked. */
async function underSystemd(
  root: string,
  systemctl: string,
  words: readonly string[],
): Promise<Ended & { asked: string }> {
  const bin = join(root, 'bin')
  await mkdir(bin, { recursive: true })
  await writeFile(join(bin, 'systemctl'), `#!/bin/sh\necho "$*" >> "${root}/asked"\n${systemctl}\n`)
  await chmod(join(bin, 'systemctl'), 0o755)
  // A mount namespace of its own: /run/systemd/system is there for this process alone.
  const setup = 'mount -t tmpfs tsgre-test /run && mkdir -p /run/systemd/system && exec "$@"'
  const args = ['-m', 'sh', '-c', setup, 'sh', process.execPath, MAIN, 'docker', ...words]
  const ended = await run('unshare', args, { ...process.env, PATH: `${bin}:${process.env.PATH}` })
  return { ...ended, asked: await readFile(join(root, 'asked'), 'utf8').catch(() => '') }
}

async function withFile(body: (root: string, file: string) => Promise<void>): Promise<void> {
  await inDirectory(async (root) => {
    const file = join(root, 'etc', 'daemon.json')
    await mkdir(join(root, 'etc'))
    await writeFile(file, '{}\n')
    await body(root, file)
  })
}

test('--restart restarts dockerd after a change, and not without one', () =>
  withFile(async (root, file) => {
    const words = ['apply', '--mtu', '1462', '--restart', '--config-file', file]
    const first = await underSystemd(root, 'exit 0', words)
    assert.is(first.code, 0, first.stderr)
    assert.match(first.stdout, 'dockerd was restarted (systemctl restart docker).')
    assert.is(first.asked, 'restart docker\n')
    assert.is((await underSystemd(root, 'exit 0', words)).asked, 'restart docker\n')
    const undone = await underSystemd(root, 'exit 0', ['undo', '--restart', '--config-file', file])
    assert.match(undone.stdout, 'dockerd was restarted')
    assert.is(undone.asked, 'restart docker\nrestart docker\n')
  }))

test('without --restart dockerd is left alone', () =>
  withFile(async (root, file) => {
    const { code, stdout, asked } = await underSystemd(root, 'exit 0', [
      'apply',
      '--mtu',
      '1462',
      '--config-file',
      file,
    ])
    assert.is(code, 0)
    assert.match(stdout, 'systemctl restart docker')
    assert.is(asked, '')
  }))

test('a dockerd that does not start with the new file gets the old one back and starts again', () =>
  withFile(async (root, file) => {
    const failing = `grep -q mtu "${file}" && { echo "Job for docker.service failed." >&2; exit 1; }; exit 0`
    const words = ['apply', '--mtu', '1462', '--restart', '--config-file', file]
    const { code, stdout, stderr, asked } = await underSystemd(root, failing, words)
    assert.is(code, 1)
    assert.is(stdout, '')
    assert.match(stderr, 'the file was put back and dockerd restarted as before')
    assert.match(stderr, 'Job for docker.service failed.')
    assert.is(asked, 'restart docker\nrestart docker\n')
    assert.is(await readFile(file, 'utf8'), '{}\n')
    assert.equal(await readdir(join(root, 'etc')), ['daemon.json'])
  }))

test('where systemd does not run, --restart says what to do', () =>
  withFile(async (_root, file) => {
    const hidden = 'mount -t tmpfs tsgre-test /run && exec "$@"'
    const words = ['apply', '--mtu', '1462', '--restart', '--config-file', file]
    const { code, stdout } = await run('unshare', [
      '-m',
      'sh',
      '-c',
      hidden,
      'sh',
      process.execPath,
      MAIN,
      'docker',
      ...words,
    ])
    assert.is(code, 0)
    assert.match(
      stdout,
      'systemd does not run here, so dockerd was not restarted. Restart it yourself: service docker restart',
    )
  }))

test.run()
