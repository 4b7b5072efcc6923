// `tsgre docker` as a person runs it: exit codes, stdout, stderr, and what stands on disk.

import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type Ended, MAIN, run } from './command.js'
import { withNamespace } from './namespace.js'

const UNKNOWN = 'no dockerd runs in this network namespace, so whether it has flags in the way is not known'
const NO_ENGINE = `Note: ${UNKNOWN}.`

/** Runs `tsgre docker …` in a namespace with docker0, against a file in a directory of its own. */
async function withDocker(
  body: (
    file: string,
    docker: (words: string) => Promise<Ended>,
    ip: (words: string) => Promise<string>,
  ) => Promise<void>,
): Promise<void> {
  const root = await mkdtemp(join(tmpdir(), 'tsgre-test-'))
  const file = join(root, 'daemon.json')
  try {
    await withNamespace(async ({ name, ip }) => {
      await ip('link add docker0 type bridge')
      await ip('address add 172.17.0.1/16 dev docker0')
      await ip('link set docker0 up')
      const docker = (words: string) =>
        run('ip', ['netns', 'exec', name, process.execPath, MAIN, 'docker', ...words.split(' '), '--config-file', file])
      await body(file, docker, ip)
    })
  } finally {
    await rm(root, { recursive: true })
  }
}

test('plan prints file, difference and the command that writes it, and changes nothing', () =>
  withDocker(async (file, docker) => {
    await writeFile(file, '{\n    "icc": false\n}\n')
    const { code, stdout, stderr } = await docker('plan --bip 10.103.100.1/24 --mtu 1462')
    assert.is(stderr, '')
    assert.is(code, 0)
    assert.is(
      stdout,
      `${file} would become:

{
    "icc": false,
    "bip": "10.103.100.1/24",
    "mtu": 1462
}

The difference:

--- ${file}
+++ ${file}
@@ -1,3 +1,5 @@
 {
-    "icc": false
+    "icc": false,
+    "bip": "10.103.100.1/24",
+    "mtu": 1462
 }

${NO_ENGINE}
Nothing was changed. To write it: tsgre docker apply --bip 10.103.100.1/24 --mtu 1462 --config-file ${file}
`,
    )
    assert.is(await readFile(file, 'utf8'), '{\n    "icc": false\n}\n')
    assert.equal(await readdir(join(file, '..')), ['daemon.json'])
  }))

test('apply writes and says where the way back is; a second one finds nothing to do; undo goes back', () =>
  withDocker(async (file, docker) => {
    await writeFile(file, '{}\n')
    const first = await docker('apply --bip 10.103.100.1/24 --mtu 1462')
    assert.is(first.code, 0, first.stderr)
    for (const words of [
      `Wrote ${file}:`,
      /bip +10\.103\.100\.1\/24 +not set before/,
      /mtu +1462 +not set before/,
      `${file}.before-tsgre (tsgre docker undo --config-file ${file} puts it back)`,
      'dockerd takes it when it restarts',
      'com.docker.network.driver.mtu=1462',
    ])
      assert.match(first.stdout, words)
    assert.is(await readFile(file, 'utf8'), '{\n  "bip": "10.103.100.1/24",\n  "mtu": 1462\n}\n')

    const second = await docker('apply --bip 10.103.100.1/24 --mtu 1462')
    assert.is(second.code, 0)
    assert.match(second.stdout, `${file} says all that already: nothing to change.`)

    const undone = await docker('undo')
    assert.is(undone.code, 0)
    assert.match(undone.stdout, `${file} is as it was before.`)
    assert.is(await readFile(file, 'utf8'), '{}\n')
    assert.is((await docker('undo')).stdout, `${file}: nothing to undo.\n`)
  }))

test('with --json each prints one object', () =>
  withDocker(async (file, docker) => {
    const json = async (words: string) => {
      const { stdout, stderr } = await docker(`${words} --json`)
      assert.is(stderr, '')
      assert.is(stdout.trim().split('\n').length, 1)
      return JSON.parse(stdout)
    }
    const changed = [{ key: 'mtu', from: null, to: 1462 }]
    const after = '{\n  "mtu": 1462\n}\n'
    const difference = `--- /dev/null\n+++ ${file}\n@@ -0,0 +1,3 @@\n+{\n+  "mtu": 1462\n+}\n`
    assert.equal(await json('plan --mtu 1462'), {
      event: 'planned',
      file,
      changed,
      after,
      difference,
      notes: [UNKNOWN],
    })
    assert.equal(await json('apply --mtu 1462'), {
      event: 'applied',
      file,
      backup: null,
      changed,
      restarted: false,
      notes: [UNKNOWN],
    })
    assert.equal(await json('apply --mtu 1462'), { event: 'unchanged', file, restarted: false })
    assert.equal(await json('undo'), {
      event: 'undone',
      file,
      outcome: 'removed',
      restarted: false,
      addressBefore: null,
    })
  }))

test('what is refused ends with 2, one sentence on stderr, and no file', () =>
  withDocker(async (file, docker, ip) => {
    await ip('link add other type bridge')
    await ip('address add 10.103.100.1/24 dev other')
    for (const [words, why] of [
      ['plan', /^tsgre: nothing is asked of daemon\.json/],
      ['plan --bip 10.103.200.0/24', /^tsgre: --bip 10\.103\.200\.0\/24: .* is the network itself/],
      ['apply --bip 10.103.100.9/24', /overlaps the address 10\.103\.100\.1\/24 of other/],
      ['apply --mtu 12', /^tsgre: --mtu 12: takes a whole number from 576 to 65535/],
      ['apply --mtu big', /^tsgre: --mtu big: takes a whole number/],
      ['apply --mtu 1400 --mtu 1500', /--mtu is given 2 times: 1400, 1500/],
      ['apply --fixed-cidr 10.103.200.0/25', /sets no "bip"/],
      ['apply --mtu 1462 --force', /^tsgre: --force: there is no such option here\nSee tsgre docker apply --help/],
      ['apply --flat', /^tsgre: --flat needs a --bip that names this host's part/],
      ['apply --flat --bip 10.103.100.1/16', /a \/16 leaves none for the other; write 10\.103\.100\.1\/24/],
      ['apply --flat --bip 10.104.0.1/24 --fixed-cidr 10.104.0.0/25', /leave --fixed-cidr out/],
      ['apply --flat --bip 10.104.0.1/24 --route 10.104.1.0/24', /no route is needed; leave --route out/],
      ['apply --flat --bip 10.103.7.1/24', /its network 10\.103\.0\.0\/16 overlaps the address/],
      ['apply --flat=yes --bip 10.104.0.1/24', /a switch takes no value/],
      [
        'apply --bip 10.103.200.1/24 --route 10.103.200.0/24',
        /overlaps --route 10\.103\.200\.0\/24, the network behind/,
      ],
      ['apply --bip 10.103.200.1/24 --route 10.103.201.1/24', /did you mean 10\.103\.201\.0\/24\?/],
      ['apply --mtu 1462 --route 10.103.201.0/24', /give --bip/],
      ['status --mtu 1462', /^tsgre: --mtu 1462: there is no such option here\nSee tsgre docker status --help/],
    ] as const) {
      const { code, stdout, stderr } = await docker(words)
      assert.is(code, 2, words)
      assert.is(stdout, '')
      assert.match(stderr, why)
    }
    assert.equal(await readdir(join(file, '..')), [])
    const { stderr } = await docker('apply --mtu 12 --json')
    assert.is(JSON.parse(stderr).code, 'TSGRE_BAD_MTU')
  }))

test('docker without a verb, or with an unknown one, is a usage error', async () => {
  for (const words of [['docker'], ['docker', 'frobnicate']]) {
    const { code, stdout, stderr } = await run(process.execPath, [MAIN, ...words])
    assert.is(code, 2)
    assert.is(stdout, '')
    assert.match(stderr, /^tsgre: /)
  }
})

test('an edited file is not undone, exit 1, unless forced', () =>
  withDocker(async (file, docker) => {
    await writeFile(file, '{}\n')
    await docker('apply --mtu 1462')
    await writeFile(file, '{"mtu": 1400}')
    const { code, stderr } = await docker('undo')
    assert.is(code, 1)
    assert.match(stderr, `was edited since tsgre wrote it`)
    assert.is((await docker('undo --force')).code, 0)
    assert.is(await readFile(file, 'utf8'), '{}\n')
  }))

test.run()
