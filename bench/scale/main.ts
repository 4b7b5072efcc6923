// How peers scale with flows and with the MTU: bench scale [peer…] [--rounds N] [--seconds N] [--save|--no-save].
// Every point of every round has a fresh rig; the points take turns within a round.

import { Hosts } from '../../test/rig/hosts.js'
import { machineLine } from '../measure.js'
import { cpuForEachGigabyte } from '../netns/figures.js'
import { peersNamed } from '../netns/peers.js'
import { quietly } from '../netns/quietly.js'
import { tcp } from '../netns/steps.js'
import { json, save, versions } from '../record.js'
import { inTurns } from '../rounds.js'
import { parseWords, type Wanted } from '../words.js'
import { type Point, type PointResult, pointsOf, scaleTables } from './points.js'

async function runOnce({ peer, flows, mtu }: Point, seconds: number): Promise<PointResult> {
  using rig = new Hosts({ overlay: 'flat', mtu, containerMtu: mtu - peer.overhead })
  const { down } = await peer.up(rig)
  await rig.reach('cA', 'cB')
  const step = await quietly(rig, () => tcp(rig, ['cA', 'cB'], seconds, flows))
  await down()
  return { gbits: step.result.gbits, cpu: cpuForEachGigabyte([step]) }
}

async function run({ peers, rounds, seconds, save: saved }: Wanted): Promise<void> {
  const how = `${rounds} rounds, a fresh topology for each point in each, ${seconds} s each`
  console.log(`${machineLine()}\n${versions()}\n${how}\n`)
  const results = await inTurns(pointsOf(peers), rounds, async (point, round) => {
    const measured = await runOnce(point, seconds)
    const cpu = Number.isNaN(measured.cpu) ? '' : ` · ${measured.cpu.toFixed(1)} CPU s/GB`
    console.log(`${round + 1} ${point.name.padEnd(32)} ${measured.gbits.toFixed(2)} Gbit/s${cpu}`)
    return measured
  })
  const tables = scaleTables(results)
  console.log(`\n${tables}`)
  if (!saved) return
  const points = [...results].map(([{ peer, flows, mtu }, own]) => ({ peer: peer.name, flows, mtu, rounds: own }))
  const head = `# Flows and MTU, both hosts on one machine\n\n${machineLine()}\n${versions()}\n${how}`
  save({
    '-scale.md': `${head}\n\n${tables}\n`,
    '-scale.json': json({ machine: machineLine(), versions: versions(), points }),
  })
}

/** Returns the exit code. */
export async function main(words: string[]): Promise<number> {
  const wanted = parseWords(words, { peers: peersNamed(['tsgre', 'tsgre-udp']), seconds: 3 })
  if (typeof wanted === 'string') {
    console.error(wanted)
    return 2
  }
  await run(wanted)
  return 0
}
