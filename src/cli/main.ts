#!/usr/bin/env node
// Where the command starts. A tunnel that root starts by hand gives away what it does not need before anything else is loaded: it costs
// a second start, and what reads the command line takes longer than that. How the standard streams were inherited is noted first:
// what reads the command line touches them as it is loaded, and the program that takes this one's place is to find them as they were.

import { limitPrivileges } from '../daemon/limit-privileges.js'

if (startsTunnel(process.argv.slice(2))) limitPrivileges()
await import('./command-line.js')

/** Whether these words start a tunnel, unless something is wrong with them: options alone, and none that only looks. */
function startsTunnel(words: readonly string[]): boolean {
  const [first] = words
  if (!first?.startsWith('--')) return false
  return !words.some((word) => /^(-h|--(help|version|dry-run)(=.*)?)$/.test(word))
}
