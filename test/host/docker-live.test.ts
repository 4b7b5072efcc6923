// `tsgre docker` beside a real dockerd: what it does there, and what dockerd makes of it.

import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { withDockerHost } from '../rig/docker-host.js'

test('apply --restart gives docker0 its network, undo --restart the one of before', () =>
  withDockerHost(async (host) => {
    const before = await host.address()
    assert.match(before, /^172\.\d+\.0\.1\/16$/)
    const applied = await host.tsgre('apply --bip 10.103.100.1/24 --mtu 1462 --restart')
    assert.is(applied.stderr, '')
    assert.is(applied.code, 0)
    assert.match(applied.stdout, 'dockerd was restarted (systemctl restart docker) and answers.')
    assert.equal(host.asked, ['restart docker'])
    assert.is(await host.address(), '10.103.100.1/24')
    assert.is((await host.tsgre('status')).code, 0)

    const undone = await host.tsgre('undo --restart')
    assert.is(undone.code, 0, undone.stderr)
    assert.not.match(undone.stdout, 'Note:')
    assert.is(host.file, undefined)
    assert.is(await host.address(), before)
    await host.systemctl('restart')
    assert.is(await host.address(), before)
  }))

test('an undo without restart says that docker0 will keep its address, and how to change that', () =>
  withDockerHost(async (host) => {
    const before = await host.address()
    host.file = '{}\n'
    await host.tsgre('apply --bip 10.103.100.1/24 --restart')
    const { stdout } = await host.tsgre('undo')
    assert.is(host.file, '{}\n')
    assert.match(stdout, `Note: docker0 had ${before} before. dockerd keeps the address it has`)
    await host.systemctl('restart')
    assert.is(await host.address(), '10.103.100.1/24')

    const [, wayOut = ''] = /tsgre docker (apply --bip .*)$/m.exec(stdout) ?? []
    assert.is((await host.tsgre(wayOut)).code, 0)
    assert.is(await host.address(), before)
  }))

test('flat makes one network of both hosts and gives containers this part of it', () =>
  withDockerHost(async (host) => {
    await host.importBox()
    const { code, stdout, stderr } = await host.tsgre('apply --bip 10.103.100.1/24 --flat --restart')
    assert.is(code, 0, stderr)
    assert.match(stdout, 'Note: the first container may get the address 10.103.100.0, which looks odd and works')
    assert.is(host.file, '{\n  "bip": "10.103.100.1/16",\n  "fixed-cidr": "10.103.100.0/24"\n}\n')
    assert.is(await host.address(), '10.103.100.1/16')
    assert.is((await host.tsgre('status')).code, 0)

    await host.docker('run -d --name one box /busybox sleep 1000')
    const address = await host.docker('inspect -f {{.NetworkSettings.IPAddress}} one')
    assert.is(address, '10.103.100.0')
    await host.must(`ping -c 1 -W 5 ${address}`)
    await host.docker('rm -f one')
  }))

test('refuses keys that the running dockerd has as flags, and writes nothing', () =>
  withDockerHost(async (host) => {
    for (const [words, flag] of [
      ['apply --bip 10.103.100.1/24', '--bip 192.168.77.1/24'],
      ['plan --bip 192.168.77.1/24', '--bip 192.168.77.1/24'],
      ['apply --mtu 1462 --restart', '--mtu=1400'],
    ] as const) {
      const { code, stdout, stderr } = await host.tsgre(words)
      assert.is(code, 2, words)
      assert.is(stdout, '')
      assert.match(stderr, `the running dockerd was started with the flag ${flag}, and`)
    }
    assert.is(host.file, undefined)
    assert.equal(host.asked, [])

    // A file of its own is none of that dockerd's business; it would not take it either.
    const elsewhere = await host.tsgre('plan --mtu 1462 --config-file /run/other.json')
    assert.is(elsewhere.code, 0)
    assert.match(
      elsewhere.stdout,
      /Note: the running dockerd \(pid \d+\) reads \/etc\/docker\/daemon\.json, not this file\./,
    )
    const restart = await host.tsgre('apply --mtu 1462 --config-file /run/other.json --restart --json')
    assert.is(restart.code, 2)
    assert.is(JSON.parse(restart.stderr).code, 'TSGRE_CONFLICT')
    assert.is((await host.run('ls', '/run/other.json')).code, 2)

    // Why it is refused: dockerd does not start with both.
    host.file = '{"bip": "192.168.77.1/24"}'
    assert.is((await host.run('systemctl', 'restart', 'docker')).code, 1)
    assert.match(host.log, 'specified both as a flag and in the configuration file: bip')
  }, '--bip 192.168.77.1/24 --mtu=1400'))

test('writes the file that dockerd was told to read, and notes the route it cuts into', () =>
  withDockerHost(async (host) => {
    await writeFile(join(host.folder, 'etc', 'custom.json'), '{}')
    host.setFlags('--config-file=/etc/docker/custom.json')
    await host.systemctl('restart')
    await host.must('ip link add eth1 type veth peer name eth9')
    await host.must('ip address add 192.168.56.4/24 dev eth1')
    await host.must('ip link set eth1 up')
    await host.must('ip route add 10.0.0.0/8 via 192.168.56.1')
    const { code, stdout, stderr } = await host.tsgre('apply --bip 10.103.100.1/24 --restart')
    assert.is(code, 0, stderr)
    assert.match(stdout, 'Wrote /etc/docker/custom.json:')
    assert.match(
      stdout,
      'Note: the route "10.0.0.0/8 via 192.168.56.1 dev eth1" covers the network of --bip 10.103.100.1/24',
    )
    assert.is(await host.address(), '10.103.100.1/24')
    assert.is(host.file, undefined)
  }))

test.run()
