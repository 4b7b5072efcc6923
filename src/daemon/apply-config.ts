// From the tunnels that run to those that the configuration wants now. All or nothing: what can be known to be wrong is found before
// anything is touched (reload-plan.ts), what only comes to light afterwards is taken back, and what a running tunnel need not be
// ended for it is not. Invariant: `running` holds every tunnel that may be up, so that the end of the process finds it.

import type { CarriedTunnel } from './carried-tunnel.js'
import { waitingKeys } from './config/tunnel-change.js'
import { type LiveStep, liveSteps, makeSteps, undoSteps } from './live-steps.js'
import type { Wanted } from './options/wanted.js'
import { placing } from './placing.js'
import { type Candidate, type Carrying, type Plan, planReload } from './reload-plan.js'

/**
 * Brings `running`, changed in place, to `after`. Returns what changed, as sentences.
 * @throws ConfigError when something is wrong with it, or any other error of a start. What ran before runs as before then, or the
 * error says what does not
 */
export async function applyConfig(
  before: Wanted,
  after: Wanted,
  running: CarriedTunnel[],
  carrying: Carrying,
): Promise<string[]> {
  const candidates: CarriedTunnel[] = []
  const carry: Carrying['carry'] = (options) => {
    const next = carrying.carry(options)
    candidates.push(next)
    return next
  }
  try {
    const plan = await planReload(after, running, { ...carrying, carry })
    const steps = plan.live.map((candidate) => ({ candidate, steps: liveSteps(candidate) }))
    await exchange(
      after,
      plan,
      steps.flatMap((one) => one.steps),
      running,
      carrying,
    )
    for (const { running: tunnel, next } of plan.live) tunnel!.setOptions(next.options)
    inOrder(running, after)
    return [
      ...waiting(before, after),
      ...plan.gone.map(({ options }) => `${options.name} is ended`),
      ...steps.map((one) => liveWords(one.candidate, one.steps)),
      ...plan.anew.map(startWords),
    ]
  } finally {
    // Those that were only asked about look for names no more.
    for (const candidate of candidates) {
      // One that was started and ended again has told how.
      if (!running.includes(candidate)) await candidate.stop().catch(() => {})
    }
  }
}

/** Ends those that go or are started anew, so that what they claim is free; then changes those that run, then starts the new ones. */
async function exchange(
  after: Wanted,
  plan: Plan,
  steps: readonly LiveStep[],
  running: CarriedTunnel[],
  carrying: Carrying,
) {
  const ended = [...plan.gone, ...plan.anew.flatMap((candidate) => candidate.running ?? [])]
  const made: LiveStep[] = []
  try {
    for (const tunnel of ended) await end(tunnel, running)
    makeSteps(steps, made)
    for (const { next } of plan.anew) {
      running.push(next)
      await placing(after, next.options.name, () => carrying.begin(next))
    }
  } catch (error) {
    const started = plan.anew.map(({ next }) => next).filter((next) => running.includes(next))
    throw withOutcome(error, ended, made, await takenBack(started, made, ended, running, carrying))
  }
}

async function end(tunnel: CarriedTunnel, running: CarriedTunnel[]): Promise<void> {
  try {
    await tunnel.stop()
  } finally {
    // Also where something of it could not be put back: it is down.
    running.splice(running.indexOf(tunnel), 1)
  }
}

/** Has all as it was, as well as that can be; returns what could not be. */
async function takenBack(
  started: readonly CarriedTunnel[],
  made: readonly LiveStep[],
  ended: readonly CarriedTunnel[],
  running: CarriedTunnel[],
  carrying: Carrying,
): Promise<string[]> {
  const lost: string[] = []
  const trying = async (name: string, what: () => Promise<void>) => {
    try {
      await what()
    } catch (error) {
      lost.push(`${name}: ${(error as Error).message}`)
    }
  }
  for (const tunnel of started) await trying(tunnel.options.name, () => end(tunnel, running))
  lost.push(...undoSteps(made))
  for (const tunnel of ended) {
    if (!running.includes(tunnel)) await trying(tunnel.options.name, () => startAgain(tunnel, running, carrying))
  }
  return lost
}

/** With the remotes that it had, those of `tsgre peers add` too. */
async function startAgain(tunnel: CarriedTunnel, running: CarriedTunnel[], { carry, findNames, begin }: Carrying) {
  const again = carry({ ...tunnel.options, remote: tunnel.names.list.map(({ asked }) => asked) })
  running.push(again)
  try {
    await findNames([again])
    await begin(again)
  } catch (error) {
    await end(again, running)
    throw error
  }
}

/** What became of what ran before, behind what went wrong. */
function withOutcome(
  error: unknown,
  ended: readonly CarriedTunnel[],
  made: readonly LiveStep[],
  lost: readonly string[],
): unknown {
  if (!(error instanceof Error)) return error
  const outcome = [
    ...(ended.length > 0
      ? [`${ended.map(({ options }) => options.name).join(', ')} ended for it, and runs again as before`]
      : []),
    ...(made.length > 0 ? [`${made.map(({ words }) => words).join(', ')} for a moment, and is as before`] : []),
  ]
  if (lost.length > 0) error.message += `; not all is as it was before: ${lost.join('; ')}`
  else if (outcome.length > 0) error.message += `; ${outcome.join('; ')}`
  return error
}

/** As the file has them. */
function inOrder(running: CarriedTunnel[], { tunnels }: Wanted): void {
  const names = tunnels.map(({ name }) => name)
  running.sort((a, b) => names.indexOf(a.options.name) - names.indexOf(b.options.name))
}

/** What a process is asked for at its start alone. */
function waiting(before: Wanted, after: Wanted): string[] {
  const keys = waitingKeys(before, after)
  return keys.length === 0 ? [] : [`${keys.join(', ')} changed, which counts from the next start on`]
}

function liveWords({ next, change }: Candidate, steps: readonly LiveStep[]): string {
  const remotes = steps.map(({ words }) => words).join(', ')
  return `${next.options.name}: ${change!.keys.join(', ')} changed${remotes && ` (${remotes})`}`
}

function startWords({ next, change }: Candidate): string {
  const { name } = next.options
  const why = change ? ` anew: ${change.keys.join(', ')} changed` : ''
  return next.tunnel ? `${name} is started${why}` : `${name} starts${why}, as soon as one of its remotes has an address`
}
