// The restart of a real dockerd that comes up, does not, or cannot be restarted.

import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type DockerHost, withDockerHost } from '../rig/docker-host.js'

const OLD = '{\n  "debug": false\n}\n'

async function answers(host: DockerHost): Promise<boolean> {
  return (await host.run('/usr/bin/docker', 'version')).code === 0
}

test('without --restart dockerd is left alone', () =>
  withDockerHost(async (host) => {
    const { code, stdout } = await host.tsgre('apply --mtu 1462')
    assert.is(code, 0)
    assert.match(stdout, 'dockerd takes it when it restarts, and its containers with it: systemctl restart docker')
    assert.equal(host.asked, [])
    // A file that says it all is no reason to leave out the restart that was asked for; one that is in use is.
    const second = await host.tsgre('apply --mtu 1462 --restart')
    assert.match(second.stdout, 'says all that already: nothing to change.\ndockerd was restarted')
    assert.equal(host.asked, ['restart docker'])
    const third = await host.tsgre('apply --mtu 1462 --restart')
    assert.is(third.code, 0)
    assert.equal(host.asked, ['restart docker'])
  }))

test('a dockerd that does not start with the new file gets the old one back and starts again', () =>
  withDockerHost(async (host) => {
    host.file = OLD
    const before = await host.address()
    host.setFlags('--mtu=1400') // somebody gave the unit a flag, and has not restarted it since
    const { code, stdout, stderr } = await host.tsgre('apply --bip 10.103.100.1/24 --mtu 1462 --restart')
    assert.is(code, 1)
    assert.is(stdout, '')
    assert.match(stderr, 'Job for docker.service failed')
    assert.match(
      stderr,
      '/etc/docker/daemon.json was put back as it was, and dockerd was restarted with it and answers',
    )
    assert.equal(host.asked, ['restart docker', 'restart docker'])
    assert.is(host.file, OLD)
    assert.ok(await answers(host))
    assert.is(await host.address(), before)
    assert.match((await host.tsgre('undo')).stdout, 'nothing to undo')
  }))

test('a dockerd that starts with neither file is not called running', () =>
  withDockerHost(async (host) => {
    const bad = '{\n  "bipp": "10.103.100.1/24"\n}\n'
    host.file = bad
    const { code, stderr } = await host.tsgre('apply --mtu 1462 --restart --json')
    assert.is(code, 1)
    const { code: name, message } = JSON.parse(stderr)
    assert.is(name, 'TSGRE_DOCKER_DOWN')
    assert.match(message, /was put back as it was, but the restart with it failed too .*; dockerd does not run\./)
    assert.is(host.file, bad)
    assert.not(await answers(host))
  }))

test('a docker0 that does not get its address is no success: live-restore keeps the old network', () =>
  withDockerHost(async (host) => {
    const before = await host.address()
    await host.importBox()
    await host.docker('run -d --name one box /busybox sleep 1000')
    const { code, stderr } = await host.tsgre('apply --bip 10.103.100.1/24 --restart')
    assert.is(code, 1)
    assert.match(stderr, `docker0 has ${before} instead of 10.103.100.1/24 (with "live-restore"`)
    assert.match(stderr, 'and dockerd was restarted with it and answers')
    assert.is(host.file, undefined)
    assert.is(await host.address(), before)
    await host.docker('rm -f one')
  }, '--live-restore'))

test('a systemctl that fails by itself leaves dockerd and file as they were', () =>
  withDockerHost(async (host) => {
    const broken = join(host.folder, 'broken')
    await writeFile(broken, '')
    const { code, stderr } = await host.tsgre('apply --mtu 1462 --restart')
    assert.is(code, 1)
    assert.match(stderr, 'Failed to connect to bus')
    assert.match(stderr, 'dockerd answers all the same')
    assert.is(host.file, undefined)
    assert.ok(await answers(host))
    await rm(broken)
  }))

test('a unit that was started too often lately is started all the same', () =>
  withDockerHost(async (host) => {
    await writeFile(join(host.folder, 'starts'), '\n\n\n')
    assert.is((await host.run('systemctl', 'restart', 'docker')).code, 1)
    const { code, stderr } = await host.tsgre('apply --mtu 1462 --restart')
    assert.is(code, 0, stderr)
    assert.ok(await answers(host))
  }))

test('where systemd does not run, --restart says what to do', () =>
  withDockerHost(async (host) => {
    await host.must('rm -r /run/systemd')
    const { code, stdout } = await host.tsgre('apply --bip 10.103.100.1/24 --restart')
    assert.is(code, 0)
    assert.match(
      stdout,
      /systemd does not run here, so dockerd was not restarted\. Restart it yourself: service docker restart, or kill \d+, wait until it is gone, then start: dockerd --cgroup-parent=/,
    )
    assert.equal(host.asked, [])
    // Nothing took the address, so nothing is lost.
    assert.not.match((await host.tsgre('undo --restart')).stdout, 'Note:')
  }))

test('a dockerd that does not answer in time is down', () =>
  withDockerHost(async (host) => {
    await writeFile(join(host.folder, 'silent'), '') // systemctl says that all is well
    const script = `
      const { execute } = await import('${import.meta.resolve('#tsgre/host/execute.js')}')
      const { restartDocker } = await import('${import.meta.resolve('#tsgre/host/docker-restart.js')}')
      await restartDocker(undefined, execute, 700).catch(({ code, message }) => console.log(code, message))`
    const { stdout, stderr } = await host.run(process.execPath, '--input-type=module', '-e', script)
    assert.is(stderr, '')
    assert.is(stdout, 'TSGRE_DOCKER_DOWN dockerd was restarted, but does not answer on its socket after 0.7 s\n')
  }))

test('an undo that dockerd does not come up with stands, and says so', () =>
  withDockerHost(async (host) => {
    host.file = '{"bipp": 1}'
    await host.tsgre('apply --mtu 1462')
    const { code, stderr } = await host.tsgre('undo --restart')
    assert.is(code, 1)
    assert.match(stderr, '/etc/docker/daemon.json is as it was before, but dockerd does not come up with it')
    assert.is(host.file, '{"bipp": 1}')
  }))

test.run()
