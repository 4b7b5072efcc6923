// What `tsgre docker plan`, `apply` and `undo` print: for people, or one JSON object.

import type { DaemonJsonPlan, KeyChange } from '../host/docker-config.js'
import type { Applied, Undone } from '../host/docker-file.js'
import { type Restarted, restartCommand } from '../host/docker-restart.js'
import { typed } from '../host/execute.js'
import { unifiedDiff } from '../host/line-diff.js'
import type { Planned } from './docker-plan.js'

export interface DockerReport {
  planned(planned: Planned): void
  unchanged(file: string, restart: Restarted | undefined): void
  applied(planned: Planned, applied: Applied, restart: Restarted | undefined): void
  /** `lost` is the address docker0 had before, and will not get back by itself. */
  undone(undone: Undone, restart: Restarted | undefined, lost: string | undefined): void
}

/** Lines for a person; `file` as it was typed, for the commands that are suggested. */
export function humanDockerReport(file: string | undefined): DockerReport {
  const where = file === undefined ? [] : ['--config-file', file]
  return {
    planned({ file: path, plan, notes, options }) {
      if (plan.changed.length === 0) {
        print(...noteLines(notes))
        return this.unchanged(path, undefined)
      }
      print(
        `${path} would become:`,
        '',
        plan.after.trimEnd(),
        '',
        'The difference:',
        '',
        unifiedDiff(plan.before, plan.after, path).trimEnd(),
        '',
        ...noteLines(notes),
        `Nothing was changed. To write it: ${typed('tsgre', ['docker', 'apply', ...options])}`,
      )
    },
    unchanged(path, restart) {
      print(
        `${path} says all that already: nothing to change.`,
        restart?.text ?? `If dockerd has not been restarted since, it takes it with: ${restartCommand()}`,
      )
    },
    applied({ plan, notes }, { path, backup }, restart) {
      const undo = typed('tsgre', ['docker', 'undo', ...(restart ? ['--restart'] : []), ...where])
      print(
        `Wrote ${path}:`,
        ...table(plan.changed),
        ...noteLines(notes),
        backup
          ? `The file as it was: ${backup} (${undo} puts it back).`
          : `There was no such file before: ${undo} removes it.`,
        restart?.text ?? takenAtRestart(),
        ...otherNetworks(plan.changed),
      )
    },
    undone({ path, outcome }, restart, lost) {
      if (outcome === 'nothing') return print(`${path}: nothing to undo.`)
      print(
        outcome === 'restored' ? `${path} is as it was before.` : `Removed ${path}: there was none before.`,
        restart?.text ?? takenAtRestart(),
        ...(lost === undefined ? [] : keptAddress(lost, where)),
      )
    },
  }
}

/** One JSON object; a key that was not set is null. */
export function jsonDockerReport(): DockerReport {
  const changes = ({ changed }: DaemonJsonPlan) => changed.map(({ key, from = null, to }) => ({ key, from, to }))
  return {
    planned({ file, plan, notes }) {
      const difference = unifiedDiff(plan.before, plan.after, file)
      printJson({ event: 'planned', file, changed: changes(plan), after: plan.after, difference, notes })
    },
    unchanged: (file, restart) => printJson({ event: 'unchanged', file, restarted: restart?.restarted ?? false }),
    applied({ plan, notes }, { path, backup = null }, restart) {
      const restarted = restart?.restarted ?? false
      printJson({ event: 'applied', file: path, backup, changed: changes(plan), restarted, notes })
    },
    undone({ path, outcome }, restart, lost = undefined) {
      const restarted = restart?.restarted ?? false
      printJson({ event: 'undone', file: path, outcome, restarted, addressBefore: lost ?? null })
    },
  }
}

function takenAtRestart(): string {
  return `dockerd takes it when it restarts, and its containers with it: ${restartCommand()}`
}

/** dockerd goes back to no address by itself (host/docker-rollback.ts). */
function keptAddress(before: string, where: readonly string[]): string[] {
  const again = typed('tsgre', ['docker', 'apply', '--bip', before, '--restart', ...where])
  return [
    `Note: docker0 had ${before} before. dockerd keeps the address it has, also over a restart, until it is told another ` +
      `("tsgre docker undo --restart" does that on the way). To have it back now: ${again}`,
  ]
}

function table(changed: readonly KeyChange[]): string[] {
  return changed.map(({ key, from, to }) => {
    const was = from === undefined ? 'not set before' : `was ${JSON.stringify(from)}`
    return `  ${key.padEnd(10)}  ${String(to).padEnd(18)}  ${was}`
  })
}

function noteLines(notes: readonly string[]): string[] {
  return notes.map((note) => `Note: ${note}.`)
}

/** dockerd gives "mtu" to its default bridge alone. */
function otherNetworks(changed: readonly KeyChange[]): string[] {
  const mtu = changed.find(({ key }) => key === 'mtu')?.to
  if (mtu === undefined) return []
  return [
    `The MTU is for containers on docker0. Other networks: docker network create -o com.docker.network.driver.mtu=${mtu} …`,
  ]
}

function print(...lines: string[]): void {
  if (lines.length === 0) return
  process.stdout.write(`${lines.join('\n')}\n`)
}

function printJson(fields: object): void {
  process.stdout.write(`${JSON.stringify(fields)}\n`)
}
