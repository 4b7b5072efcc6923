#!/usr/bin/env node
// Where the command starts. How the standard streams were inherited is noted first: what reads the command line touches them as it is
// loaded, and the program that takes this one's place (daemon/limit-privileges.ts) is to find them as they were.

import '../sys/replace-process.js'

await import('./command-line.js')
