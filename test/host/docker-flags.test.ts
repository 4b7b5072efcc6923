import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type Engine, socketOf } from '#tsgre/host/docker-engine.js'
import { flagOf, readFlags } from '#tsgre/host/docker-flags.js'

test('reads flags in every spelling dockerd takes', () => {
  for (const [line, name, value, text] of [
    ['--bip=10.103.100.1/24', 'bip', '10.103.100.1/24', '--bip=10.103.100.1/24'],
    ['--bip 10.103.100.1/24', 'bip', '10.103.100.1/24', '--bip 10.103.100.1/24'],
    ['--bip=', 'bip', '', '--bip='],
    ['-b br0', 'bridge', 'br0', '-b br0'],
    ['-bbr0', 'bridge', 'br0', '-bbr0'],
    ['-b=br0', 'bridge', 'br0', '-b=br0'],
    ['-Db br0', 'bridge', 'br0', '-Db br0'],
    ['-Db br0', 'debug', 'true', '-D'],
    ['--bridge none', 'bridge', 'none', '--bridge none'],
    ['--mtu 1400 --mtu=1462', 'mtu', '1462', '--mtu=1462'],
    ['--icc=false', 'icc', 'false', '--icc=false'],
    ['--icc --bip 10.103.100.1/24', 'icc', 'true', '--icc'],
    ['--iptables --bip 10.103.100.1/24', 'bip', '10.103.100.1/24', '--bip 10.103.100.1/24'],
    ['--live-restore -H fd:// --mtu 1462', 'mtu', '1462', '--mtu 1462'],
    [
      '-l debug -s overlay2 --fixed-cidr 10.103.100.0/25',
      'fixed-cidr',
      '10.103.100.0/25',
      '--fixed-cidr 10.103.100.0/25',
    ],
    ['--label a=--bip=1 --mtu 1462', 'label', 'a=--bip=1', '--label a=--bip=1'],
  ] as const) {
    assert.equal(flagOf(readFlags(line.split(' ')), name), { name, value, text }, line)
  }
})

test('finds no flag that is not there, is a value of another, or stands behind the end of flags', () => {
  for (const line of ['', '--label bip=1', '--bips=1', 'bip', '-- --bip=1', '--config-file --bip'])
    assert.is(flagOf(readFlags(line.split(' ')), 'bip'), undefined, line)
})

test('finds the Unix socket that dockerd listens on', () => {
  const engine = (line: string): Engine => ({ pid: 1, argv: [], flags: readFlags(line.split(' ')), configFile: '' })
  for (const [line, text, socket] of [
    ['', undefined, '/var/run/docker.sock'],
    ['-H unix:///tmp/d.sock', undefined, '/tmp/d.sock'],
    ['--host=tcp://0.0.0.0:2375 -H unix://', undefined, '/var/run/docker.sock'],
    ['-H fd:// --containerd=/run/containerd/containerd.sock', undefined, '/run/docker.sock'],
    ['-H tcp://127.0.0.1:2375', undefined, undefined],
    ['', '{"hosts": ["tcp://127.0.0.1:2375", "unix:///srv/d.sock"]}', '/srv/d.sock'],
    ['', '{"hosts": ["tcp://127.0.0.1:2375"]}', undefined],
    ['', '{"hosts": ', '/var/run/docker.sock'],
    ['-H unix:///tmp/d.sock', '{"hosts": ["unix:///srv/d.sock"]}', '/tmp/d.sock'],
  ] as const)
    assert.is(socketOf(engine(line), text), socket, `${line} ${text}`)
})

test.run()
