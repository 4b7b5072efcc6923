// What a run is written down with: the machine, the versions, the day; and where to.

import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { ROOT } from '../test/rig/root.js'

const RESULTS = new URL('bench/results/', ROOT)

/** Some programs tell their version and fail all the same. */
function firstLine(program: string, ...args: string[]): string {
  const { stdout } = spawnSync(program, args, { encoding: 'utf8' })
  return stdout?.trim().split('\n')[0] || `${program} absent`
}

/** Of this package, or of one it has installed; optional ones may be absent. */
function packageVersion(name?: string): string {
  const path = new URL(name ? `node_modules/${name}/package.json` : 'package.json', ROOT)
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')).version : 'absent'
}

/** What the figures depend on besides the code. */
export function versions(): string {
  return [
    `tsgre ${packageVersion()} (${firstLine('git', '-C', ROOT.pathname, 'describe', '--always', '--dirty')})`,
    `koffi ${packageVersion('koffi')}`,
    `raw-socket ${packageVersion('raw-socket')}`,
    firstLine('iperf3', '--version'),
    firstLine('ovs-vswitchd', '--version'),
    firstLine('openvpn', '--version').replace(/ \S*linux.*/, ''),
    firstLine('cc', '--version'),
  ].join(' · ')
}

/** A name for the kind of machine that says nothing of whose it is. */
function machineName(): string {
  const virtual = /^flags\b.*\bhypervisor\b/m.test(readFileSync('/proc/cpuinfo', 'utf8'))
  return `${cpus().length}-core-${virtual ? 'vm' : 'machine'}`
}

/** Writes bench/results/DATE-machine with each of the endings, and says so. A run of the same day gives way. */
export function save(contents: Readonly<Record<`${'.' | '-'}${string}`, string>>): void {
  const name = `${new Date().toISOString().slice(0, 10)}-${machineName()}`
  mkdirSync(RESULTS, { recursive: true })
  for (const [ending, text] of Object.entries(contents)) writeFileSync(new URL(name + ending, RESULTS), text)
  const names = Object.keys(contents).map((ending) => `bench/results/${name}${ending}`)
  console.log(`\nwritten: ${names.join(', ')}`)
}

export function json(value: unknown): string {
  return `${JSON.stringify(value, null, 1)}\n`
}
