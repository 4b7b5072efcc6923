// The restart dockerd needs to take daemon.json: bip, fixed-cidr and mtu are read at its start only, a SIGHUP does not do.
// A restart is over when the engine answers and docker0 has the address it should have.

import { existsSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { HostError } from '../errors.js'
import { engineAnswers } from './docker-api.js'
import { findEngine, socketOf } from './docker-engine.js'
import { readDaemonJson } from './docker-file.js'
import { type Execute, execute, typed } from './execute.js'
import { listAddresses } from './routes.js'

/** There exactly where systemd is the running init (sd_booted(3)). */
const SYSTEMD = '/run/systemd/system'
const ANSWER_MS = 30_000

export interface Restarted {
  readonly restarted: boolean
  /** What happened, or what is left to do. */
  readonly text: string
}

/** Whether dockerd can be restarted for the user. */
export function systemdRuns(): boolean {
  return existsSync(SYSTEMD)
}

/** How a person restarts dockerd here. */
export function restartCommand(): string {
  return systemdRuns() ? 'systemctl restart docker' : 'service docker restart'
}

/**
 * Restarts dockerd where systemd runs it and waits until it answers; elsewhere says how. With a `bip`, docker0 must have it.
 * @throws HostError TSGRE_COMMAND_FAILED when the restart fails, TSGRE_DOCKER_DOWN when dockerd is not as it should be after it
 */
export async function restartDocker(bip?: string, run: Execute = execute, answerMs = ANSWER_MS): Promise<Restarted> {
  if (!systemdRuns()) return { restarted: false, text: await howToRestart() }
  await resetStartLimit(run)
  await run('systemctl', ['restart', 'docker'])
  await untilAnswered(answerMs)
  if (bip !== undefined) await refuseOtherAddress(bip, run)
  return { restarted: true, text: 'dockerd was restarted (systemctl restart docker) and answers.' }
}

/** docker0's IPv4 addresses, with their prefix lengths. */
export async function bridgeAddresses(bridge = 'docker0', run: Execute = execute): Promise<string[]> {
  const addresses = (await listAddresses(run)).filter(({ dev, family }) => dev === bridge && family === 4)
  return addresses.map(({ address, prefixLength }) => `${address}/${prefixLength}`)
}

/** Whether a dockerd of this network namespace answers now; one that listens on TCP alone does when it runs. */
export async function dockerAnswers(timeoutMs?: number): Promise<boolean> {
  const engine = await findEngine()
  if (!engine) return false
  const socket = socketOf(engine, await readDaemonJson(engine.configFile).catch(() => undefined))
  return socket === undefined || (await engineAnswers(socket, timeoutMs))
}

/**
 * Docker's unit may be started three times a minute (StartLimitBurst), by hand too and counting systemd's own attempts with a file
 * dockerd refuses: the start with the old file would then be refused as well. This sets the counter to zero (systemctl(1)).
 */
async function resetStartLimit(run: Execute): Promise<void> {
  await run('systemctl', ['reset-failed', 'docker']).catch(() => {}) // a unit that was never loaded has none
}

async function untilAnswered(answerMs: number): Promise<void> {
  for (const deadline = Date.now() + answerMs; ; await sleep(100)) {
    if (await dockerAnswers(Math.max(1, deadline - Date.now()))) return
    if (Date.now() >= deadline)
      throw down(`dockerd was restarted, but does not answer on its socket after ${answerMs / 1000} s`)
  }
}

async function refuseOtherAddress(bip: string, run: Execute): Promise<void> {
  const has = await bridgeAddresses('docker0', run)
  if (has.includes(bip)) return
  const what = has.length > 0 ? `has ${has.join(', ')}` : 'has no address'
  // daemon.initNetworkController: "There are old running containers, the network config will not take affect".
  const why = 'with "live-restore" and running containers dockerd keeps the network it has'
  throw down(`dockerd was restarted and answers, but docker0 ${what} instead of ${bip} (${why})`)
}

async function howToRestart(): Promise<string> {
  const engine = await findEngine()
  const byHand = engine
    ? `kill ${engine.pid}, wait until it is gone, then start: ${typed(engine.argv[0]!, engine.argv.slice(1))}`
    : 'start dockerd the way you do'
  return `systemd does not run here, so dockerd was not restarted. Restart it yourself: ${restartCommand()}, or ${byHand}`
}

function down(message: string): HostError {
  return new HostError('TSGRE_DOCKER_DOWN', 'systemctl restart docker', '', message)
}
