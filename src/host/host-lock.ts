// Who of the tunnels in this network namespace may do what, by names in the abstract Unix namespace: the kernel frees them
// also after kill -9. One name a TAP says that its tunnel lives; one name for all is held while the host is changed.

import { setTimeout as sleep } from 'node:timers/promises'
import { HostError } from '../errors.js'
import { close } from '../sys/libc.js'
import { heldAbstractNames, holdAbstractName } from '../sys/sockets.js'

const TAP = 'tsgre/tap/'
const CHANGING = 'tsgre/changing-the-host'
const RETRY_MS = 20
/** Longer than any change takes: a tunnel that starts makes about ten, of some milliseconds each. */
const PATIENCE_MS = 20_000

/** Says that the tunnel on `tap` lives; returns how to say that it ended, undefined when another process has said it. */
export function holdTap(tap: string): (() => void) | undefined {
  const fd = holdAbstractName(TAP + tap)
  return fd === undefined ? undefined : () => close(fd)
}

/**
 * The TAPs of all running tunnels of this network namespace, this process's too, whether they keep a journal or not, and those of
 * dead ones that somebody cleans up after: not while the host is held.
 */
export function heldTaps(): string[] {
  return heldAbstractNames().flatMap((name) => (name.startsWith(TAP) ? [name.slice(TAP.length)] : []))
}

/**
 * Whether a tunnel runs on `tap`. Waits only where its name is held, until nobody cleans up. Not for a `body` of changingTheHost.
 * @throws HostError TSGRE_HOST_BUSY
 */
export async function isRunning(tap: string): Promise<boolean> {
  return heldTaps().includes(tap) && (await changingTheHost(async () => heldTaps().includes(tap)))
}

/**
 * Runs `body` while no other tunnel of this host changes the host or its journal.
 * @throws HostError TSGRE_HOST_BUSY when another one does not come to an end
 */
export async function changingTheHost<T>(body: () => Promise<T>): Promise<T> {
  const fd = await waitFor(CHANGING)
  try {
    return await body()
  } finally {
    close(fd)
  }
}

async function waitFor(name: string): Promise<number> {
  for (const deadline = Date.now() + PATIENCE_MS; Date.now() < deadline; await sleep(RETRY_MS)) {
    const fd = holdAbstractName(name)
    if (fd !== undefined) return fd
  }
  const words =
    'another tsgre has been changing this host for 20 s; `grep tsgre /proc/net/unix` and `ps` tell which hangs'
  throw new HostError('TSGRE_HOST_BUSY', name, '', words)
}
