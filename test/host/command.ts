// The command `tsgre`, run to its end.

import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'

export const MAIN = fileURLToPath(import.meta.resolve('#tsgre/cli/main.js'))

export interface Ended {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export function run(command: string, args: readonly string[], env: NodeJS.ProcessEnv = process.env): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(command, args, { env }, (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr })
    })
  })
}
