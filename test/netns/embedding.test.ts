// The library inside another program: what it tells, and that the program always ends.

import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type Child, completion, type Ended } from '../rig/child.js'
import { embed, printed } from '../rig/embed.js'
import { Hosts } from '../rig/hosts.js'
import { seePacket } from '../rig/outer-packet.js'
import { changes, settledChanges, settledSnapshot } from '../rig/snapshot.js'

const IO = ['mmsg', 'raw-socket'] as const
/** For a program that should end now: the pump's longest wait is a second. */
const END_MS = 30_000

/** Runs a scene that ends by itself and leaves the host as it was. */
// biome-ignore lint/suspicious/noExplicitAny: what the scene printed
async function play(scene: string, io?: string): Promise<any> {
  using rig = new Hosts()
  const before = await settledSnapshot(rig, 'A')
  const program = embed(rig, scene, io)
  await completion(program, END_MS)
  assert.equal(await settledChanges(rig, 'A', before), [])
  return printed(program, 'done')
}

/** What a scene waits for before it goes on. */
function signal(program: Child): void {
  process.kill(program.pid, 'SIGUSR2')
}

/** Starts a scene that ends its process with the tunnel open, and waits for both to be gone. */
async function ends(scene: string, hasten: (program: Child, rig: Hosts) => void = signal, io?: string): Promise<Ended> {
  using rig = new Hosts()
  const before = await settledSnapshot(rig, 'A')
  const program = embed(rig, scene, io)
  await printed(program, 'open')
  assert.is.not(changes(rig, 'A', before).length, 0)
  hasten(program, rig)
  const ended = await completion(program, END_MS, true)
  assert.equal(await settledChanges(rig, 'A', before), [])
  return ended
}

for (const io of IO) {
  for (const scene of io === 'mmsg' ? ['life', 'worker-life'] : ['life']) {
    test(`tells up and closed, counts all along, closes twice as once: ${scene} with --io ${io}`, async () => {
      using rig = new Hosts({ overlay: 'none' })
      const before = await settledSnapshot(rig, 'A')
      const program = embed(rig, scene, io)
      assert.equal(await printed(program, 'open'), {
        name: 'tap0',
        local: '192.168.56.4',
        remote: '192.168.56.5',
        mtu: 1500,
        tunnelMtu: 1462,
      })
      await rig.tsgre('B', ['--io', io])
      for (const [host, address] of [
        ['A', '10.1.0.1'],
        ['B', '10.1.0.2'],
      ] as const) {
        rig.ip(host, `address add ${address}/24 dev tap0`)
      }
      await rig.reach('A', '10.1.0.2')
      await rig.ping('A', '10.1.0.2', { count: 5 })
      signal(program)
      const { events, same, again, running, closed } = await printed(program, 'done')
      assert.equal(events, ['up', 'closed'])
      assert.is(same, true)
      assert.is(again, true)
      assert.ok(running.rxFrames >= 6 && running.txFrames >= 6, JSON.stringify(running))
      assert.ok(closed.rxFrames >= running.rxFrames && closed.rxBytes >= running.rxBytes)
      const { code } = await completion(program, END_MS)
      assert.is(code, 0)
      assert.equal(await settledChanges(rig, 'A', before), [])
    })
  }

  test(`a signal that was aborted before, while and after opening ends it, with --io ${io}`, async () => {
    assert.equal(await play('abort', io), { names: ['AbortError', 'AbortError'], events: ['closed'] })
  })

  test(`\`await using\` closes it, with --io ${io}`, async () => {
    assert.equal(await play('dispose', io), ['up', 'closed'])
  })

  test(`what is refused leaves nothing open, with --io ${io}`, async () => {
    assert.equal(await play('failing-open', io), ['TSGRE_BAD_KEY', 'TSGRE_BAD_TAP', 'TSGRE_FAMILY_MISMATCH'])
  })

  test(`several tunnels live in one program, and one closes without the others, with --io ${io}`, async () => {
    using rig = new Hosts({ overlay: 'none' })
    const programs = [embed(rig, 'several', io, 'A'), embed(rig, 'several', io, 'B')]
    const reach = async (keys: number[]) => {
      for (const key of keys) await rig.reach('A', `10.${key}.0.2`)
    }
    const tell = () => {
      programs.forEach(signal)
    }
    for (const [index, program] of programs.entries()) {
      assert.equal(await printed(program, 'open'), ['tap1', 'tap2', 'tap3'])
      for (const key of [1, 2, 3])
        rig.ip(index === 0 ? 'A' : 'B', `address add 10.${key}.0.${index + 1}/24 dev tap${key}`)
    }
    await reach([1, 2, 3])
    tell()
    for (const program of programs) await printed(program, 'closed')
    await reach([1, 3])
    tell()
    for (const program of programs) {
      const frames = await printed(program, 'done')
      for (const count of frames) assert.ok(count >= 2, `${frames}`)
      await completion(program, END_MS)
    }
  })

  test(`an uncaught error ends the program, with --io ${io}`, async () => {
    const { code, stderr } = await ends('throws', undefined, io)
    assert.is(code, 1)
    assert.match(stderr, 'on purpose')
  })

  test(`process.exit ends the program, with --io ${io}`, async () => {
    assert.is((await ends('exits', undefined, io)).code, 3)
  })

  test(`an error nobody listens for ends the program, with --io ${io}`, async () => {
    const { code, stderr } = await ends('unheard', (_, rig) => rig.ip('A', 'link del tap0'), io)
    assert.is(code, 1)
    assert.match(stderr, /EBADFD.*the TAP was deleted/)
  })
}

test('an unhandled rejection ends the program', async () => {
  const { code, stderr } = await ends('rejects')
  assert.is(code, 1)
  assert.match(stderr, 'on purpose')
})

test('a signal nobody handles ends the program', async () => {
  assert.is((await ends('forgets', (program) => program.kill('SIGTERM'))).signal, 'SIGTERM')
})

test('an open tunnel keeps the program running', async () => {
  using rig = new Hosts({ overlay: 'none' })
  const program = embed(rig, 'forgets')
  await printed(program, 'open')
  await new Promise((resolve) => setTimeout(resolve, 1500))
  assert.ok(program.running)
})

test('--io raw-socket is refused in a worker thread, with the way out', async () => {
  using rig = new Hosts({ overlay: 'none' })
  const { code, stderr } = await completion(embed(rig, 'worker-life', 'raw-socket'), END_MS, true)
  assert.is(code, 1)
  assert.match(stderr, /--io raw-socket: .*main thread only; or leave --io away/)
})

for (const scene of ['worker-throws', 'worker-exits']) {
  test(`${scene.slice('worker-'.length)} in a worker thread ends that thread, and with the process the TAP goes`, async () => {
    const { code, stdout } = await ends(scene)
    // An error in a worker that nobody listens to is thrown in the main thread.
    if (scene === 'worker-throws') return assert.is(code, 1)
    assert.match(stdout, '{"worker":3}')
    assert.is(code, 0)
  })
}

test('a worker thread with a tunnel can be terminated', async () => {
  const { code, stdout } = await ends('terminated-forgets')
  assert.match(stdout, /\{"worker":1\}/)
  assert.is(code, 0)
})

test('a change of a running tunnel that is refused has changed nothing, the numbers it sends included', async () => {
  using rig = new Hosts({ overlay: 'none' })
  const program = embed(rig, 'refused-changes')
  await printed(program, 'open')
  const capture = await rig.capture('B', 'eth1', 'proto 47')
  rig.ip('A', 'address add 10.1.0.1/24 dev tap0')
  rig.ip('A', 'neigh replace 10.1.0.2 lladdr 02:00:00:00:00:02 dev tap0')
  const send = () => rig.ping('A', '10.1.0.2', { count: 3, interval: 0.05, wait: 0.1 })
  await send()
  while ((await capture.lines()).length < 3);
  signal(program)
  const { codes, local, before, after } = await printed(program, 'refused')
  assert.equal(codes, ['TSGRE_IN_USE', 'TSGRE_FAMILY_MISMATCH', 'EADDRNOTAVAIL'])
  assert.is(local, '192.168.56.4')
  assert.ok(before >= 3 && after >= before)
  await send()
  await capture.stop()
  const seen = capture.packets().map((packet) => seePacket(packet).gre)
  const numbers = seen.filter(({ sequence }) => sequence !== undefined).map(({ sequence }) => sequence)
  assert.ok(numbers.length >= 6)
  assert.equal(
    numbers,
    numbers.map((_, i) => numbers[0]! + i),
  )
  signal(program)
  assert.ok(await printed(program, 'done'))
})

test.run()
