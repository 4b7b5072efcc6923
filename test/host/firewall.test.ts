// Against real tables of both back ends, in a namespace that routes from a bridge back into it, with Docker's chains.

import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Undo } from '#tsgre/host/change.js'
import { Changes } from '#tsgre/host/changes.js'
import { type Execute, execute } from '#tsgre/host/execute.js'
import { planForwarding } from '#tsgre/host/firewall.js'
import { type Namespace, withNamespace } from './namespace.js'

const WANTED = {
  bridge: 'docker0',
  tap: 'tap0',
  pairs: [{ local: '10.103.100.0/24', remote: '10.103.200.0/24' }],
}

/** The namespace with `iptables` standing for one back end, and the other out of reach. */
function backEnd({ run }: Namespace, name: 'nft' | 'legacy'): Execute {
  return (command, args) => {
    if (!command.includes('tables')) return run(command, args)
    if (command.endsWith('nft') || command.endsWith('legacy')) return run('iptables-there-is-none', args)
    return run(`${command}-${name}`, args)
  }
}

/** A bridge with a container of each network in it; this host routes between the two, as with `--route`. */
async function containers(host: Namespace, one: Namespace, other: Namespace): Promise<void> {
  await host.ip('link add docker0 type bridge')
  for (const [index, node] of [one, other].entries()) {
    await host.ip(`link add veth${index} type veth peer name eth0 netns ${node.name}`)
    await host.ip(`link set veth${index} master docker0 up`)
    await node.ip(`address add 10.103.${index + 1}00.2/24 dev eth0`)
    await node.ip('link set eth0 up')
    await node.ip(`route add default via 10.103.${index + 1}00.1`)
    await host.ip(`address add 10.103.${index + 1}00.1/24 dev docker0`)
  }
  await host.ip('link set docker0 up')
  await host.run('sysctl', ['-qw', 'net.ipv4.ip_forward=1', 'net.ipv4.conf.all.send_redirects=0'])
  await host.run('sysctl', ['-qw', 'net.ipv4.conf.docker0.send_redirects=0'])
}

async function withContainers(body: (host: Namespace, reaches: () => Promise<boolean>) => Promise<void>) {
  await withNamespace((host) =>
    withNamespace((one) =>
      withNamespace(async (other) => {
        await containers(host, one, other)
        const ping = ['-c', '1', '-W', '1', '-i', '0.2', '10.103.200.2']
        await body(host, () =>
          one.run('ping', ping).then(
            () => true,
            () => false,
          ),
        )
      }),
    ),
  )
}

/** Docker's chains, with what --icc=false makes of them. */
async function dockerChains(run: Execute, last: 'ACCEPT' | 'DROP' = 'DROP'): Promise<void> {
  for (const line of [
    '-N DOCKER-USER',
    '-A DOCKER-USER -j RETURN',
    '-P FORWARD DROP',
    '-A FORWARD -j DOCKER-USER',
    '-A FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT',
    '-A FORWARD -i docker0 ! -o docker0 -j ACCEPT',
    `-A FORWARD -i docker0 -o docker0 -j ${last}`,
  ])
    await run('iptables', line.split(' '))
}

for (const name of ['nft', 'legacy'] as const) {
  test(`lets blocked containers through, once, and puts the rules back as they were, with iptables-${name}`, () =>
    withContainers(async (host, reaches) => {
      assert.ok(await reaches(), 'the containers do not reach each other without any rule')
      const run = backEnd(host, name)
      await dockerChains(run)
      const before = await run('iptables', ['-S'])
      assert.not.ok(await reaches())

      const changes = new Changes(run)
      const { changes: planned, notes } = await planForwarding(WANTED, run)
      assert.equal(notes, [])
      assert.is(planned.length, 2)
      await changes.make(planned)
      assert.ok(await reaches())
      assert.equal(await planForwarding(WANTED, run), { changes: [], notes: [] })
      assert.match(await run('iptables', ['-S', 'DOCKER-USER']), /--comment "tsgre tap0"/)

      // Somebody flushes the chain, and it is healed; somebody adds a copy, and both go.
      await run('iptables', ['-F', 'DOCKER-USER'])
      await run('iptables', ['-A', 'DOCKER-USER', '-j', 'RETURN'])
      await changes.make((await planForwarding(WANTED, run)).changes)
      assert.ok(await reaches())
      await run('iptables', ['-I', ...(planned[0]!.undo as Extract<Undo, { kind: 'rule' }>).rule])

      assert.equal(await changes.unwind(), [])
      assert.is(await run('iptables', ['-S']), before)
      assert.not.ok(await reaches())
    }))

  test(`changes nothing where nothing is blocked, with iptables-${name}`, () =>
    withNamespace(async (namespace) => {
      const run = backEnd(namespace, name)
      assert.equal(await planForwarding(WANTED, run), { changes: [], notes: [] })
      await dockerChains(run, 'ACCEPT')
      assert.equal(await planForwarding(WANTED, run), { changes: [], notes: [] })
    }))

  test(`says so and changes nothing where there is no DOCKER-USER, with iptables-${name}`, () =>
    withNamespace(async (namespace) => {
      const run = backEnd(namespace, name)
      await run('iptables', ['-P', 'FORWARD', 'DROP'])
      const { changes, notes } = await planForwarding(WANTED, run)
      assert.equal(changes, [])
      assert.is(notes.length, 2)
      assert.match(
        notes[0]!,
        /no chain DOCKER-USER .* left alone; .*iptables -I FORWARD -i docker0 -o docker0 -s 10\.103\.100\.0\/24/,
      )
    }))

  test(`says so and changes nothing where packets are dropped before DOCKER-USER, with iptables-${name}`, () =>
    withNamespace(async (namespace) => {
      const run = backEnd(namespace, name)
      await dockerChains(run, 'ACCEPT')
      await run('iptables', ['-I', 'FORWARD', '-j', 'REJECT'])
      const { changes, notes } = await planForwarding(WANTED, run)
      assert.equal(changes, [])
      assert.match(notes[0]!, /before DOCKER-USER is asked/)
    }))

  test(`an undo bears that rule, chain or table are gone, with iptables-${name}`, () =>
    withNamespace(async (namespace) => {
      const run = backEnd(namespace, name)
      await dockerChains(run)
      const changes = new Changes(run)
      const { changes: planned } = await planForwarding(WANTED, run)
      await changes.make(planned)
      await run('iptables', ['-F'])
      assert.equal(await changes.unwind(), [])
      await changes.make(planned)
      await run('iptables', ['-F'])
      await run('iptables', ['-X'])
      assert.equal(await changes.unwind(), [])
    }))
}

test('a flat network lets tunnel packets through, and no packets between containers of one host', () =>
  withNamespace(async (namespace) => {
    const run = backEnd(namespace, 'nft')
    await dockerChains(run)
    const flat = { ...WANTED, pairs: [{ local: '10.103.100.0/24' }] }
    const { changes } = await planForwarding(flat, run)
    assert.equal(
      changes.map(({ what }) => what),
      [
        'firewall: -s 10.103.100.0/24 ! -d 10.103.100.0/24 accepted',
        'firewall: ! -s 10.103.100.0/24 -d 10.103.100.0/24 accepted',
      ],
    )
    await new Changes(run).make(changes)
    assert.equal(await planForwarding(flat, run), { changes: [], notes: [] })
  }))

test('where no part of a flat network is known to be here, it tells and makes no rule', () =>
  withNamespace(async (namespace) => {
    const run = backEnd(namespace, 'nft')
    await dockerChains(run)
    const pairs = [{ local: '10.103.0.0/16', remote: '10.103.0.0/16', tellOnly: true }]
    const { changes, notes } = await planForwarding({ ...WANTED, pairs }, run)
    assert.equal(changes, [])
    assert.is(notes.length, 1)
    const [, command = ''] = /to let all of them pass: iptables (.*)$/.exec(notes[0]!) ?? []
    await run('iptables', command.split(' '))
    assert.equal(await planForwarding({ ...WANTED, pairs }, run), { changes: [], notes: [] })
  }))

test('takes the back end in which DOCKER-USER stands', () =>
  withNamespace(async ({ run }) => {
    await dockerChains((command, args) => run(`${command}-legacy`, args))
    const { changes } = await planForwarding(WANTED, run)
    assert.equal(
      changes.map(({ undo }) => undo.kind === 'rule' && undo.command),
      ['iptables-legacy', 'iptables-legacy'],
    )
  }))

test('tells of Docker that keeps its rules in nftables', () =>
  withNamespace(async (namespace) => {
    await namespace.run('nft', ['add', 'table', 'ip', 'docker-bridges'])
    const { changes, notes } = await planForwarding(WANTED, backEnd(namespace, 'nft'))
    assert.equal(changes, [])
    assert.match(notes.join(), /keeps its rules in nftables here, .*left alone/)
  }))

test('does without iptables, and says so without the permission to read its rules', async () => {
  const missing: Execute = (_, args) => execute('iptables-there-is-none', args)
  assert.equal(await planForwarding(WANTED, missing), { changes: [], notes: [] })
  await withNamespace(async (namespace) => {
    const nobody: Execute = (command, args) =>
      namespace.run('setpriv', ['--bounding-set', '-all', '--reuid', '65534', '--', command, ...args])
    const { changes, notes } = await planForwarding(WANTED, nobody)
    assert.equal(changes, [])
    assert.match(notes.join(), /the rules of iptables cannot be read .*ermission/)
  })
})

test.run()
