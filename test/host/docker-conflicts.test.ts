// What is wanted of daemon.json beside what file and flags say already.

import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { planDaemonJson } from '#tsgre/host/docker-config.js'
import type { WantedKeys } from '#tsgre/host/docker-conflicts.js'
import { readFlags } from '#tsgre/host/docker-flags.js'
import { errorOf } from './script.js'

const BIP = '10.103.100.1/24'

test('refuses a bip beside a "bridge", as dockerd does at its start', async () => {
  const error = await errorOf(() => planDaemonJson('{"bridge": "br0"}', { bip: BIP }, 'd.json'))
  assert.is(error.code, 'TSGRE_BAD_DAEMON_JSON')
  assert.match(error.message, 'd.json sets "bridge": "br0"')
})

test('refuses a key of ours that is set twice: dockerd reads the last, people the first', async () => {
  const error = await errorOf(() => planDaemonJson('{"mtu": 1, "mtu": 2}', { bip: BIP }, 'd.json'))
  assert.is(error.message, 'd.json: "mtu" is set twice; leave one of them')
})

test('a fixed-cidr must lie in the bip wanted, or else in the one of the file', async () => {
  const refused = async (text: string | undefined, wanted: WantedKeys) =>
    [await errorOf(() => planDaemonJson(text, wanted, 'd.json'))].map(({ code, option, message }) => ({
      code,
      option,
      message,
    }))[0]!
  planDaemonJson('{"bip": "10.103.100.1/24"}', { fixedCidr: '10.103.100.128/25' })

  const outside = await refused('{"bip": "10.103.100.1/24"}', { fixedCidr: '10.103.101.0/25' })
  assert.is(outside.code, 'TSGRE_BAD_BIP')
  assert.is(outside.option, 'fixed-cidr')

  assert.match((await refused('{}', { fixedCidr: '10.103.100.128/25' })).message, 'sets no "bip"')

  const left = await refused('{"fixed-cidr": "172.30.5.0/24"}', { bip: BIP })
  assert.is(left.option, 'bip')
  assert.match(left.message, 'd.json sets "fixed-cidr": "172.30.5.0/24", which does not lie in 10.103.100.0/24')
})

test('refuses a key that dockerd has as a flag, and names the flag to take out', async () => {
  const bip = { bip: BIP }
  for (const [line, wanted, option, flag, why] of [
    ['--bip=172.30.0.1/16', bip, 'bip', '--bip=172.30.0.1/16', /does not start when a setting is both/],
    ['--bip 10.103.100.1/24', bip, 'bip', '--bip 10.103.100.1/24', /even with equal values/],
    ['-b br0', bip, 'bip', '-b br0', /takes a bridge or a bip, not both/],
    ['--bridge=none', bip, 'bip', '--bridge=none', /takes a bridge or a bip, not both/],
    ['--mtu 1500', { mtu: 1462 }, 'mtu', '--mtu 1500', /both a flag and in d\.json/],
    [
      '--fixed-cidr=10.103.100.0/25',
      { bip: BIP, fixedCidr: '10.103.100.0/26' },
      'fixed-cidr',
      '--fixed-cidr=10.103.100.0/25',
      /both/,
    ],
  ] as const) {
    const flags = readFlags(line.split(' '))
    const error = await errorOf(() => planDaemonJson('{}', wanted, 'd.json', flags))
    assert.is(error.code, 'TSGRE_DOCKER_FLAG', line)
    assert.is(error.option, option)
    assert.match(error.message, why)
    assert.match(error.message, `Take out ${flag} where dockerd is started`)
    assert.match(error.message, 'systemctl edit docker')
    assert.match(error.message, 'DOCKER_OPTS in /etc/default/docker')
  }
})

test('refuses a key that is a flag also where the file says it already', async () => {
  const error = await errorOf(() => planDaemonJson('{"mtu": 1462}', { mtu: 1462 }, 'd.json', readFlags(['--mtu=1462'])))
  assert.is(error.code, 'TSGRE_DOCKER_FLAG')
})

test('flags that touch nothing wanted are no hindrance', () => {
  for (const line of ['--icc=false', '--bip=10.103.100.1/24', '--bridge br0', '-H fd://'])
    planDaemonJson('{}', { mtu: 1462 }, 'd.json', readFlags(line.split(' ')))
  planDaemonJson('{}', { bip: BIP }, 'd.json', readFlags(['--bridge=']))
})

test('what is wanted must fit the flags', async () => {
  planDaemonJson('{}', { fixedCidr: '10.103.100.0/25' }, 'd.json', readFlags(['--bip=10.103.100.1/24']))
  const outside = await errorOf(() =>
    planDaemonJson('{}', { fixedCidr: '10.103.101.0/25' }, 'd.json', readFlags(['--bip=10.103.100.1/24'])),
  )
  assert.is(outside.code, 'TSGRE_BAD_BIP')
  const left = await errorOf(() =>
    planDaemonJson('{}', { bip: BIP }, 'd.json', readFlags(['--fixed-cidr=172.30.0.0/24'])),
  )
  assert.is(left.code, 'TSGRE_BAD_BIP')
  assert.match(left.message, 'dockerd has the flag --fixed-cidr=172.30.0.0/24, which does not lie in 10.103.100.0/24')
})

test('refuses a setting of another kind than dockerd takes, unless it is replaced', async () => {
  for (const [text, why] of [
    ['{"bip": 7}', 'd.json: "bip" is 7, where dockerd takes a text'],
    ['{"fixed-cidr": ["10.103.100.0/25"]}', 'where dockerd takes a text'],
    ['{"icc": "false"}', 'd.json: "icc" is "false", where dockerd takes true or false'],
    ['{"hosts": "fd://"}', 'where dockerd takes a list'],
  ] as const) {
    const error = await errorOf(() => planDaemonJson(text, { mtu: 1462 }, 'd.json'))
    assert.is(error.code, 'TSGRE_BAD_DAEMON_JSON')
    assert.match(error.message, why)
  }
  planDaemonJson('{"bip": 7, "mtu": "1500", "icc": null}', { bip: BIP, mtu: 1462 }, 'd.json')
})

test.run()
