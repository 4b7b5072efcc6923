// A scene of embedding.ts in one of the rig's hosts, and what it prints.

import { fileURLToPath } from 'node:url'
import type { Child } from './child.js'
import type { Hosts } from './hosts.js'

const EMBEDDING = fileURLToPath(new URL('./embedding.js', import.meta.url))

export function embed(rig: Hosts, scene: string, io = 'mmsg', host: 'A' | 'B' = 'A'): Child {
  const remote = host === 'A' ? '192.168.56.5' : '192.168.56.4'
  return rig.spawn(host, [process.execPath, EMBEDDING, scene, remote, io])
}

/** What it said in that field, now or soon. */
// biome-ignore lint/suspicious/noExplicitAny: what the scene printed
export async function printed(program: Child, field: string): Promise<any> {
  return JSON.parse(await program.waitFor((line) => line.startsWith(`{"${field}":`)))[field]
}
