// A restart of dockerd that may fail, and the way back from it. dockerd remembers docker0's last address in its own store
// (/var/lib/docker/network/files/local-kv.db) and, when nothing says a bip, gives docker0 that one again, even when the bridge
// was re-addressed or deleted meanwhile (20.10). It forgets an address only for another bip. So whoever takes the bip out
// of daemon.json first starts dockerd once with the old address as its bip.

import { HostError } from '../errors.js'
import { planDaemonJson } from './docker-config.js'
import { findEngine } from './docker-engine.js'
import { type Applied, applyDaemonJson, readDaemonJson, type Undone, undoable, undoDaemonJson } from './docker-file.js'
import { flagOf } from './docker-flags.js'
import { bridgeAddresses, dockerAnswers, type Restarted, restartDocker, systemdRuns } from './docker-restart.js'
import { settingsOf } from './docker-settings.js'

/**
 * Restarts dockerd with what was applied. A dockerd that does not start takes every container with it: then the file goes
 * back and dockerd is started as before. `address` is docker0's of before.
 * @throws HostError TSGRE_DOCKER_DOWN
 */
export async function restartOrRevert(applied: Applied, bip?: string, address?: string): Promise<Restarted> {
  try {
    return await restartDocker(bip)
  } catch (error) {
    if (!(error instanceof HostError)) throw error
    await applied.revert()
    const again = await startAsBefore(applied.path, address)
    const message = `${error.message}\nSo ${applied.path} was put back as it was, ${again}. journalctl -u docker says why it failed`
    throw new HostError('TSGRE_DOCKER_DOWN', error.command, error.stderr, message)
  }
}

/**
 * Puts daemon.json back as it was before the first apply and restarts dockerd, docker0's old address with it.
 * @throws HostError TSGRE_FILE_CHANGED, TSGRE_DOCKER_DOWN; SystemError
 */
export async function undoAndRestart(path: string, force: boolean): Promise<{ undone: Undone; restart?: Restarted }> {
  const was = await undoable(path)
  if (was && systemdRuns() && (force || !was.edited)) await giveBack(path, was.before, was.address)
  const undone = await undoDaemonJson(path, force)
  if (undone.outcome === 'nothing') return { undone }
  try {
    return { undone, restart: await restartDocker() }
  } catch (error) {
    if (!(error instanceof HostError)) throw error
    const message = `${undone.path} is as it was before, but dockerd does not come up with it: ${error.message}`
    throw new HostError('TSGRE_DOCKER_DOWN', error.command, error.stderr, message)
  }
}

/**
 * docker0's address of before, where dockerd would not go back to it: nothing says a bip in the file as it was, `before`.
 */
export async function lostAddress(
  before: string | undefined,
  address: string | undefined,
): Promise<string | undefined> {
  if (address === undefined || (await bridgeAddresses()).includes(address)) return undefined
  const engine = await findEngine()
  if (engine && (flagOf(engine.flags, 'bip') || flagOf(engine.flags, 'bridge'))) return undefined
  const { bip, bridge } = settingsOf(before)
  return bip === undefined && bridge === undefined ? address : undefined
}

/** Starts dockerd once with docker0's old address as its bip; the file must be put back, and dockerd restarted, after it. */
async function giveBack(path: string, before: string | undefined, address: string | undefined): Promise<void> {
  const lost = await lostAddress(before, address)
  if (lost === undefined) return
  const { after, changed } = planDaemonJson(before, { bip: lost }, path)
  const applied = await applyDaemonJson(path, { before: await readDaemonJson(path), after, changed }, address)
  await restartOrRevert(applied, lost)
}

async function startAsBefore(path: string, address: string | undefined): Promise<string> {
  try {
    await restartDocker()
    const before = await readDaemonJson(path)
    const lost = await lostAddress(before, address)
    if (lost !== undefined) {
      const borrowed = await applyDaemonJson(path, planDaemonJson(before, { bip: lost }, path))
      await restartDocker(lost).finally(() => borrowed.revert())
      await restartDocker()
    }
    return 'and dockerd was restarted with it and answers'
  } catch (error) {
    if (!(error instanceof HostError)) throw error
    const state = (await dockerAnswers()) ? 'dockerd answers all the same' : 'dockerd does not run'
    return `but the restart with it failed too (${error.message}); ${state}`
  }
}
