// A directory with a daemon.json in it, and the picture of all that stands there.

import { lstat, mkdtemp, readdir, readFile, readlink, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { planDaemonJson } from '#tsgre/host/docker-config.js'
import type { WantedKeys } from '#tsgre/host/docker-conflicts.js'
import { applyDaemonJson, readDaemonJson } from '#tsgre/host/docker-file.js'
import { execute } from '#tsgre/host/execute.js'

export const OLD = '{\n  "icc": false\n}'
export const MTU = { mtu: 1462 }

/** Every file below with content, mode and owner. */
export async function tree(root: string): Promise<Record<string, string>> {
  const entries: Record<string, string> = {}
  for (const name of (await readdir(root, { recursive: true })).sort()) {
    const path = join(root, name)
    const { mode, uid, gid } = await lstat(path)
    const kind = (mode & 0o170000).toString(8)
    const content =
      kind === '100000' ? await readFile(path, 'utf8') : kind === '120000' ? await readlink(path) : 'directory'
    entries[relative(root, path)] = `${(mode & 0o7777).toString(8)} ${uid}:${gid} ${content}`
  }
  return entries
}

export async function inDirectory(body: (root: string) => Promise<void>): Promise<void> {
  const root = await mkdtemp(join(tmpdir(), 'tsgre-test-'))
  try {
    await body(root)
  } finally {
    await rm(root, { recursive: true })
  }
}

async function plan(path: string, wanted: WantedKeys = MTU) {
  return planDaemonJson(await readDaemonJson(path), wanted, path)
}

export async function applied(path: string, wanted: WantedKeys = MTU) {
  return await applyDaemonJson(path, await plan(path, wanted))
}

/** The same on a filesystem of its own, small or read-only. */
export async function onTmpfs(options: string, body: (root: string) => Promise<void>): Promise<void> {
  await inDirectory(async (root) => {
    await execute('mount', ['-t', 'tmpfs', '-o', options, 'tsgre-test', root])
    try {
      await body(root)
    } finally {
      await execute('umount', [root])
    }
  })
}
