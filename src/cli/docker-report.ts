// What `tsgre docker` prints: for people, or one JSON object.

import type { DaemonJsonPlan, KeyChange } from '../host/docker-config.js'
import { type Applied, DAEMON_JSON, type Undone } from '../host/docker-file.js'
import { type Restarted, restartCommand } from '../host/docker-restart.js'
import { typed } from '../host/execute.js'
import { unifiedDiff } from '../host/line-diff.js'

export interface DockerReport {
  planned(file: string, plan: DaemonJsonPlan): void
  unchanged(file: string): void
  applied(plan: DaemonJsonPlan, applied: Applied, restart: Restarted | undefined): void
  undone(undone: Undone, restart: Restarted | undefined): void
}

/** Lines for a person; `file` as it was typed, for the commands that are suggested. */
export function humanDockerReport(file: string): DockerReport {
  const where = file === DAEMON_JSON ? [] : ['--config-file', file]
  return {
    planned(path, plan) {
      if (plan.changed.length === 0) return this.unchanged(path)
      const options = plan.changed.flatMap(({ key, to }) => [`--${key}`, String(to)])
      print(
        `${path} would become:`,
        ...note(plan),
        '',
        plan.after.trimEnd(),
        '',
        'The difference:',
        '',
        unifiedDiff(plan.before, plan.after, path).trimEnd(),
        '',
        `Nothing was changed. To write it: ${typed('tsgre', ['docker', 'apply', ...options, ...where])}`,
      )
    },
    unchanged(path) {
      print(
        `${path} says all that already: nothing to change.`,
        `If dockerd has not been restarted since, it takes it with: ${restartCommand()}`,
      )
    },
    applied(plan, { path, backup }, restart) {
      const undo = typed('tsgre', ['docker', 'undo', ...where])
      print(
        `Wrote ${path}:`,
        ...table(plan.changed),
        ...note(plan),
        backup
          ? `The file as it was: ${backup} (${undo} puts it back).`
          : `There was no such file before: ${undo} removes it.`,
        restart?.text ?? `dockerd takes it when it restarts, and its containers with it: ${restartCommand()}`,
        ...otherNetworks(plan.changed),
      )
    },
    undone({ path, outcome }, restart) {
      if (outcome === 'nothing') return print(`${path}: nothing to undo.`)
      print(
        outcome === 'restored' ? `${path} is as it was before.` : `Removed ${path}: there was none before.`,
        restart?.text ?? `dockerd takes it when it restarts, and its containers with it: ${restartCommand()}`,
      )
    },
  }
}

/** One JSON object; a key that was not set is null. */
export function jsonDockerReport(): DockerReport {
  const changes = ({ changed }: DaemonJsonPlan) => changed.map(({ key, from = null, to }) => ({ key, from, to }))
  return {
    planned(file, plan) {
      const difference = unifiedDiff(plan.before, plan.after, file)
      printJson({ event: 'planned', file, changed: changes(plan), after: plan.after, difference, ...remark(plan) })
    },
    unchanged: (file) => printJson({ event: 'unchanged', file }),
    applied(plan, { path, backup = null }, restart) {
      const restarted = restart?.restarted ?? false
      printJson({ event: 'applied', file: path, backup, changed: changes(plan), restarted, ...remark(plan) })
    },
    undone: ({ path, outcome }, restart) =>
      printJson({ event: 'undone', file: path, outcome, restarted: restart?.restarted ?? false }),
  }
}

function table(changed: readonly KeyChange[]): string[] {
  return changed.map(({ key, from, to }) => {
    const was = from === undefined ? 'not set before' : `was ${JSON.stringify(from)}`
    return `  ${key.padEnd(10)}  ${String(to).padEnd(18)}  ${was}`
  })
}

function note({ remark }: DaemonJsonPlan): string[] {
  return remark === undefined ? [] : [`Note: ${remark}.`]
}

function remark(plan: DaemonJsonPlan): { remark?: string } {
  return plan.remark === undefined ? {} : { remark: plan.remark }
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
  process.stdout.write(`${lines.join('\n')}\n`)
}

function printJson(fields: object): void {
  process.stdout.write(`${JSON.stringify(fields)}\n`)
}
