// `tsgre docker` beside a real dockerd: what it does there, and what dockerd makes of it.

import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { DockerHost } from '../rig/docker-host.js'

const DEFAULT = /^172\.\d+\.0\.1\/16$/

async function withDocker(body: (host: DockerHost) => Promise<void>, flags = '', file?: string): Promise<void> {
  const host = await DockerHost.open()
  try {
    host.setFlags(flags)
    host.file = file
    await host.systemctl('start')
    await body(host)
  } finally {
    host.close()
  }
}

test('apply --restart gives docker0 its network, undo --restart the one of before', () =>
  withDocker(async (host) => {
    const before = await host.address()
    assert.match(before, DEFAULT)
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

test.run()
