// What `ip -json` says: its arguments run as given, its answer as objects. No meaning is read here.

import type { Execute } from './execute.js'

/** The objects `ip -json …` lists. Older releases print nothing, or empty objects, where newer ones print []. */
export async function ipJson<T extends object>(run: Execute, args: readonly string[]): Promise<T[]> {
  const text = await run('ip', ['-json', ...args])
  const list = text.trim() === '' ? [] : (JSON.parse(text) as T[])
  return list.filter((entry) => Object.keys(entry).length > 0)
}
