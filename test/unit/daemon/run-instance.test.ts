// A process without tunnels: what it is asked for while it runs.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Wanted } from '#tsgre/daemon/options/wanted.js'
import { Readiness } from '#tsgre/daemon/readiness.js'
import { runInstance } from '#tsgre/daemon/run-instance.js'

const FOLDER = mkdtempSync(join(tmpdir(), 'tsgre-run-'))
process.env.TSGRE_RUN_DIR = FOLDER
test.after(() => rmSync(FOLDER, { recursive: true }))

const REPORT = { up() {}, note() {}, tunnelMtu() {}, down() {} }

test('the end does not wait for a configuration that is read for ever', async () => {
  const warnings: string[] = []
  let end = () => {}
  const until = new Promise<void>((resolve) => {
    end = resolve
  })
  let reload = async () => {}
  let giveUp = () => {}
  const running = runInstance(
    { name: `reads-${process.pid}`, file: '/dev/stdin', tunnels: [] },
    {
      report: { ...REPORT, warn: (message) => void warnings.push(message) },
      readiness: Readiness.take(() => {}, {}),
      logger: undefined,
      until,
      load: () =>
        new Promise<Wanted>((_, reject) => {
          giveUp = () => reject(new Error('given up'))
        }),
      onReload: (given) => {
        reload = given
      },
    },
  )
  await sleep(100)
  const reloading = reload()
  await sleep(50)
  end()
  const came = await Promise.race([running.then(() => 'ended'), sleep(2000, 'waits')])
  giveUp()
  assert.is(came, 'ended')
  await reloading
  assert.match(warnings.join(), /nothing was reloaded: reads-\d+ is ending/)
})

test.run()
