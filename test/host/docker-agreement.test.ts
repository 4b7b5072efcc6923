// What `tsgre docker status` finds fault with, table by table.

import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { disagreements, rowsOf, waitingForRestart } from '#tsgre/host/docker-agreement.js'
import { readFlags } from '#tsgre/host/docker-flags.js'
import type { Survey } from '#tsgre/host/docker-survey.js'

const FILE = '/etc/docker/daemon.json'
const USES = { subnet: '10.103.100.0/24', bip: '10.103.100.1/24', mtu: 1500, icc: true }
const BRIDGE = { name: 'docker0', present: true, addresses: ['10.103.100.1/24'], mtu: 1500, ports: [] }

function survey(settings: Survey['file']['settings'], uses: object = USES, line = '', bridge: object = {}): Survey {
  return {
    file: { path: FILE, present: true, settings },
    engine: {
      pid: 1,
      configFile: FILE,
      readsFile: true,
      flags: readFlags(line.split(' ')),
      version: '20.10.24',
      uses: uses as typeof USES,
    },
    bridge: { ...BRIDGE, ...bridge },
  }
}

test('agrees', () => {
  for (const agreeing of [
    survey({}),
    survey({ bip: '10.103.100.1/24' }),
    survey(
      { bip: '10.103.100.1/24', 'fixed-cidr': '10.103.100.128/25' },
      { ...USES, 'fixed-cidr': '10.103.100.128/25' },
    ),
    survey({ mtu: 1462 }, { ...USES, mtu: 1462 }),
    // The bridge's own MTU follows its ports; a second address is somebody's own.
    survey({}, USES, '', { mtu: 1462, addresses: ['192.168.7.1/24', '10.103.100.1/24'] }),
    survey({}, { ...USES, mtu: 1400, icc: false }, '--mtu=1400 --icc=false'),
    survey({}, { subnet: '172.17.0.0/16', mtu: 1500, icc: true }, '', { addresses: ['172.17.0.1/16'] }),
  ])
    assert.equal(disagreements(agreeing), [], JSON.stringify(agreeing))
})

test('names what the engine has not taken yet, and what it has not let go', () => {
  for (const [settings, uses, why] of [
    [
      { bip: '10.103.200.1/24' },
      USES,
      'says bip 10.103.200.1/24, the engine still uses 10.103.100.1/24: dockerd has not been restarted since',
    ],
    [{ mtu: 1462 }, USES, 'says mtu 1462, the engine still uses 1500'],
    [{ icc: false }, USES, 'says icc false, the engine still uses true'],
    [{ 'fixed-cidr': '10.103.100.0/25' }, USES, 'says fixed-cidr 10.103.100.0/25, the engine still uses none'],
    [{}, { ...USES, mtu: 1462 }, 'says no mtu (which means 1500), the engine still uses 1462'],
    [{}, { ...USES, 'fixed-cidr': '10.103.100.0/25' }, 'says no fixed-cidr, the engine still uses 10.103.100.0/25'],
  ] as const) {
    const seen = survey(settings, uses)
    assert.is(waitingForRestart(seen).length, 1)
    const [first = '', second = ''] = disagreements(seen)
    assert.match(first, `${FILE} ${why}`)
    assert.match(second, `dockerd takes what is in ${FILE} when it restarts: `)
  }
})

test('names what dockerd would not start with', () => {
  const flagged = disagreements(survey({ mtu: 1400 }, { ...USES, mtu: 1400 }, '--mtu 1400'))
  assert.is(flagged.length, 1)
  assert.match(flagged[0]!, 'dockerd has the flag --mtu 1400 too: it will not start again')
  const bridged = disagreements(survey({ bip: '10.103.100.1/24' }, USES, '-b docker0'))
  assert.match(bridged[0]!, 'dockerd has the flag -b docker0: it takes a bridge or a bip, not both')
  const broken = { ...survey({}), file: { path: FILE, present: true, settings: {}, trouble: 'd.json:1:2: a comment' } }
  assert.equal(disagreements(broken), ['d.json:1:2: a comment.'])
})

test('names an engine that reads another file, does not answer, or is not there', () => {
  const { engine, ...rest } = survey({ mtu: 1462 })
  const elsewhere = disagreements({ ...rest, engine: { ...engine!, readsFile: false, configFile: '/srv/d.json' } })
  assert.equal(elsewhere, [`The running dockerd reads /srv/d.json, not ${FILE}.`])
  const { uses, ...silent } = engine!
  assert.ok(uses)
  assert.equal(disagreements({ ...rest, engine: { ...silent, trouble: 'x.sock: no answer in time' } }), [
    'The engine could not be asked (x.sock: no answer in time).',
  ])
  assert.match(disagreements(rest)[0]!, 'No dockerd runs here (in this network namespace)')
})

test('names a bridge that is not as the engine believes', () => {
  assert.match(disagreements(survey({}, USES, '', { addresses: ['10.9.9.1/24'] }))[0]!, 'docker0 has 10.9.9.1/24, and')
  assert.match(disagreements(survey({}, USES, '', { present: false, addresses: [] }))[0]!, 'There is no docker0')
})

test('puts the settings of all places side by side', () => {
  const rows = rowsOf(survey({ mtu: 1462 }, { ...USES, 'fixed-cidr': '10.103.100.0/25' }, '--bip=10.103.100.1/24'))
  const [bip, fixedCidr, mtu, icc] = rows
  assert.equal(bip, { key: 'bip', file: undefined, flag: USES.bip, engine: USES.bip, bridge: USES.bip })
  assert.is(fixedCidr!.engine, '10.103.100.0/25')
  assert.equal(mtu, { key: 'mtu', file: '1462', flag: undefined, engine: '1500', bridge: '1500' })
  assert.is(icc!.engine, 'true')
})

test.run()
