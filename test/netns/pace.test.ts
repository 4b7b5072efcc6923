// The library inside another program whose event loop has other work: it goes on while frames are carried.

import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { embed, printed } from '../rig/embed.js'
import { Hosts } from '../rig/hosts.js'

/** The least share of a timer's idle ticks that is left under load. A loop that waited for the pump would have next to none. */
const PACE = 0.6

/** Ticks a second of a 10 ms timer in the program: idle, and while TCP fills the tunnel. */
async function pace(io: string): Promise<{ idle: number; loaded: number; mbits: number }> {
  using rig = new Hosts({ overlay: 'flat' })
  const program = embed(rig, 'ticks', io)
  await printed(program, 'open')
  rig.ip('A', 'link set tap0 addrgenmode none master docker0 up')
  await rig.tsgre('B', ['--io', io])
  await rig.reach('cA', 'cB')
  const rates = () => program.lines.filter((line) => line.startsWith('{"ticks"')).map((line) => JSON.parse(line).ticks)
  const next = async (count: number) => {
    const from = rates().length + 1 // the one under way is of both
    await program.waitFor(() => rates().length >= from + count)
    const taken = rates().slice(from, from + count)
    return taken.reduce((sum, rate) => sum + rate, 0) / count
  }
  const idle = await next(2)
  const server = rig.spawn('cB', ['iperf3', '-s', '-1', '--forceflush'])
  await server.waitFor(/listening/)
  const load = rig.exec('cA', ['iperf3', '-c', rig.address('cB'), '-t', '6', '-J'])
  const loaded = await next(3)
  const mbits = JSON.parse((await load).stdout).end.sum_received.bits_per_second / 1e6
  return { idle, loaded, mbits }
}

test("the program's event loop keeps its pace under load", async () => {
  for (const io of ['mmsg', 'raw-socket']) {
    const { idle, loaded, mbits } = await pace(io)
    const share = loaded / idle
    console.log(
      `    --io ${io}: ${idle.toFixed(0)} ticks/s idle, ${loaded.toFixed(0)} at ${mbits.toFixed(0)} Mbit/s: ${share.toFixed(2)}`,
    )
    if (io === 'mmsg') assert.ok(share >= PACE, `${share.toFixed(2)} of the idle ticks are left`)
  }
})

test.run()
