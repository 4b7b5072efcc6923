// `tsgre docker status` beside a real dockerd, as a person reads it and as a program does.

import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { DockerHost, withDockerHost } from '../rig/docker-host.js'

const FILE = '/etc/docker/daemon.json'

test('status follows a change from the file to the bridge', () =>
  withDockerHost(async (host) => {
    const old = await host.address()
    const first = await host.tsgre('status')
    assert.is(first.code, 0)
    assert.match(first.stdout, `${FILE} (there is none)`)
    assert.match(first.stdout, /^engine {2}dockerd \d+\.\d+\S*, pid \d+$/m)
    assert.match(first.stdout, 'All agree.')
    assert.match(first.stdout, 'has nothing of tsgre to undo')

    await host.tsgre('apply --bip 10.103.100.1/24 --fixed-cidr 10.103.100.128/25 --mtu 1462')
    const waiting = await host.tsgre('status')
    assert.is(waiting.code, 1)
    assert.match(waiting.stdout, /^fixed-cidr +10\.103\.100\.128\/25 +- +- +-$/m)
    assert.match(waiting.stdout, /^mtu +1462 +- +1500 +1500$/m)
    const subnet = old.replace('.0.1/', '.0.0/')
    const sentence = `${FILE} says bip 10.103.100.1/24, the engine still uses ${subnet}: dockerd has not been restarted since.`
    assert.match(waiting.stdout, sentence)
    assert.match(waiting.stdout, 'when it restarts: systemctl restart docker.')
    assert.match(waiting.stdout, `tsgre wrote ${FILE}: tsgre docker undo --restart puts it back as it was.`)

    await host.systemctl('restart')
    const taken = await host.tsgre('status')
    assert.is(taken.code, 0, taken.stdout)
    assert.match(taken.stdout, /^bip +10\.103\.100\.1\/24 +- +10\.103\.100\.1\/24 +10\.103\.100\.1\/24$/m)

    await host.tsgre('undo')
    const undone = await host.tsgre('status')
    assert.is(undone.code, 1)
    assert.match(undone.stdout, `${FILE} says no mtu (which means 1500), the engine still uses 1462`)
    assert.match(undone.stdout, `${FILE} says no fixed-cidr, the engine still uses 10.103.100.128/25`)
  }))

test('status names flags, a file that clashes with them, a broken file and a changed bridge', () =>
  withDockerHost(async (host) => {
    const flagged = await host.tsgre('status')
    assert.is(flagged.code, 0, flagged.stdout)
    assert.match(flagged.stdout, /^bip +- +10\.103\.100\.1\/24 +10\.103\.100\.1\/24 +10\.103\.100\.1\/24$/m)
    assert.match(flagged.stdout, /^icc +- +false +false +-$/m)

    const said = async (file: string, words: string | RegExp) => {
      host.file = file
      const { code, stdout } = await host.tsgre('status')
      assert.is(code, 1)
      assert.match(stdout, words)
    }
    await said(
      '{"bip": "10.103.100.1/24"}',
      '"bip" is in /etc/docker/daemon.json and dockerd has the flag --bip=10.103.100.1/24 too',
    )
    await said('{"icc": false,}', '/etc/docker/daemon.json:1:14: a comma with nothing after it')
    await said('{"mtu": "1462"}', 'would not start with this file: /etc/docker/daemon.json: "mtu" is "1462", where')
    await said('', 'is empty')
    host.file = undefined

    await host.must('ip tuntap add dev tap0 mode tap')
    await host.must('ip link set tap0 master docker0')
    await host.must('ip address del 10.103.100.1/24 dev docker0')
    const changed = await host.tsgre('status')
    assert.is(changed.code, 1)
    assert.match(changed.stdout, 'bridge  docker0, ports: tap0')
    assert.match(changed.stdout, 'docker0 has no address, and the engine believes it is 10.103.100.1/24')
    await host.must('ip link del docker0')
    const gone = await host.tsgre('status')
    assert.is(gone.code, 1)
    assert.match(gone.stdout, 'There is no docker0; dockerd makes it when it restarts: systemctl restart docker.')
  }, '--bip=10.103.100.1/24 --icc=false'))

test('status as one JSON object', () =>
  withDockerHost(async (host) => {
    host.file = '{"mtu": 1462}'
    const { code, stdout } = await host.tsgre('status --json')
    assert.is(code, 1)
    assert.is(stdout.trim().split('\n').length, 1)
    const { event, agree, file, engine, bridge, disagreements } = JSON.parse(stdout)
    assert.is(event, 'status')
    assert.is(agree, false)
    assert.equal(file, { path: FILE, present: true, settings: { mtu: 1462 }, undoable: false, edited: false })
    assert.is(engine.configFile, FILE)
    assert.is(engine.uses.mtu, 1500)
    assert.equal(engine.flags, ['--icc=true'])
    assert.equal(bridge, { name: 'docker0', present: true, addresses: [await host.address()], mtu: 1500, ports: [] })
    assert.is(disagreements.length, 2)
  }, '--icc=true --label secret=1'))

test('status says that it may not open the socket, and that an engine does not answer', () =>
  withDockerHost(async (host) => {
    await host.must('chmod 0 /run/docker.sock')
    const drop = ['--bounding-set=-dac_override', '--inh-caps=-dac_override']
    const { code, stdout } = await host.run('setpriv', ...drop, ...host.command('status'))
    assert.is(code, 1)
    assert.match(stdout, 'The engine could not be asked (/var/run/docker.sock: permission denied: run it as root')
    await host.must('rm /run/docker.sock')
    assert.match((await host.tsgre('status')).stdout, '(/var/run/docker.sock: there is no such socket)')
  }))

test('a dockerd of another network namespace is none', () =>
  withDockerHost(async (other) => {
    assert.is((await other.tsgre('status')).code, 0)
    const host = await DockerHost.open()
    try {
      assert.match((await host.tsgre('status')).stdout, 'engine  no dockerd')
    } finally {
      host.close()
    }
  }))

test('status without a dockerd, and with one that makes no bridge', async () => {
  const host = await DockerHost.open()
  try {
    const none = await host.tsgre('status')
    assert.is(none.code, 1)
    assert.is(none.stderr, '')
    assert.match(none.stdout, 'engine  no dockerd')
    assert.match(none.stdout, 'No dockerd runs here (in this network namespace)')
    const json = JSON.parse((await host.tsgre('status --json')).stdout)
    assert.is(json.engine, null)
    assert.equal(json.bridge, { name: 'docker0', present: false, addresses: [], ports: [] })

    host.setFlags('-b none')
    await host.systemctl('start')
    const unbridged = await host.tsgre('status')
    assert.match(unbridged.stdout, 'bridge  none: dockerd was told to make no bridge')
    assert.is(unbridged.code, 0, unbridged.stdout)
  } finally {
    host.close()
  }
})

test.run()
