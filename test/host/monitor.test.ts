// watchHost in processes of their own: what keeps a process alive or kills it cannot be seen from inside.

import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { withNamespace } from './namespace.js'

const MODULE = import.meta.resolve('#tsgre/host/monitor.js')
/** Far beyond what any of these takes; a process that hangs ends by it and fails the test. */
const DEADLINE_MS = 30_000

interface Ended {
  readonly code: number | string | null | undefined
  readonly stdout: string
  readonly stderr: string
}

/** Runs a script with watchHost imported, in a namespace if named. */
function node(body: string, env: NodeJS.ProcessEnv = process.env, namespace?: string): Promise<Ended> {
  const source = `import { watchHost } from ${JSON.stringify(MODULE)}\n${body}`
  const words = [process.execPath, '--input-type=module', '-e', source]
  const [command = '', ...args] = namespace ? ['ip', 'netns', 'exec', namespace, ...words] : words
  return new Promise((resolve) => {
    const options = { timeout: DEADLINE_MS, killSignal: 'SIGKILL' as const, env }
    execFile(command, args, options, (error, stdout, stderr) => {
      resolve({ code: error ? (error.signal ?? error.code) : 0, stdout, stderr })
    })
  })
}

const IP = `import { execFileSync } from 'node:child_process'
  import { readFileSync } from 'node:fs'
  const ip = (words) => execFileSync('ip', words.split(' '))
  const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
  const tasks = '/proc/self/task/' + process.pid + '/children'
  const children = () => readFileSync(tasks, 'utf8').trim().split(' ').filter(Boolean)
  const until = async (condition) => { while (!condition()) await sleep(20) }
`

/** Whether the process is `ip monitor` still: its id may be somebody else's by now. */
function isMonitor(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('monitor')
  } catch {
    return false
  }
}

async function gone(pid: number): Promise<void> {
  assert.ok(pid > 1)
  for (let left = DEADLINE_MS; isMonitor(pid); left -= 20) {
    assert.ok(left > 0, 'the child lives on')
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

test('tells of a new link, a new address and a new route', () =>
  withNamespace(async ({ name }) => {
    const ended = await node(
      `${IP}
      let told = 0
      const watch = watchHost(() => { told++ })
      // The child listens some time after it was started: the first change is repeated until it is heard.
      for (let i = 0; told === 0; i++) { ip('link add d' + i + ' type bridge'); await sleep(200) }
      for (const words of ['link set d0 up', 'address add 10.103.100.1/24 dev d0', 'route add 10.103.200.0/24 dev d0']) {
        await sleep(500)
        const before = told
        ip(words)
        await until(() => told > before)
        console.log(words)
      }
      watch.stop()`,
      process.env,
      name,
    )
    assert.is(ended.code, 0, ended.stderr)
    assert.equal(ended.stdout.trim().split('\n'), [
      'link set d0 up',
      'address add 10.103.100.1/24 dev d0',
      'route add 10.103.200.0/24 dev d0',
    ])
  }))

test('is told at most once in 100 ms, however many changes come', () =>
  withNamespace(async ({ name }) => {
    const ended = await node(
      `${IP}
      const told = []
      const watch = watchHost(() => { told.push(performance.now()) })
      for (let i = 0; told.length === 0; i++) { ip('link add d' + i + ' type bridge'); await sleep(200) }
      for (let i = 0; i < 20 || told.length < 4; i++) {
        ip('address add 10.103.' + i + '.1/24 dev d0')
        await sleep(20)
      }
      watch.stop()
      // However late a timer comes, the next is set after it: a busy machine only lengthens these. A timer may be 1 ms early.
      console.log(told.slice(1).every((at, i) => at - told[i] > 98))`,
      process.env,
      name,
    )
    assert.equal(ended, { code: 0, stdout: 'true\n', stderr: '' })
  }))

test('does not keep a process alive', async () => {
  const ended = await node(`watchHost(() => {}); console.log('end of the program')`)
  assert.equal(ended, { code: 0, stdout: 'end of the program\n', stderr: '' })
})

test('without `ip` it neither throws nor tells', async () => {
  const ended = await node(
    `const watch = watchHost(() => console.log('told'))
    setTimeout(() => { watch.stop(); console.log('alive') }, 1500)`,
    { PATH: '/nonexistent' },
  )
  assert.equal(ended, { code: 0, stdout: 'alive\n', stderr: '' })
})

test('stop takes the child away, and nothing is told afterwards', () =>
  withNamespace(async ({ name }) => {
    const ended = await node(
      `${IP}
      const watch = watchHost(() => console.log('told'))
      await until(() => children().length === 1)
      ip('link add d0 type bridge')
      watch.stop()
      watch.stop()
      await until(() => children().length === 0)
      await sleep(1500)
      console.log(children().length)`,
      process.env,
      name,
    )
    assert.equal(ended, { code: 0, stdout: '0\n', stderr: '' })
  }))

test('a child that dies is replaced, and the gap is told', () =>
  withNamespace(async ({ name }) => {
    const ended = await node(
      `${IP}
      let told = 0
      const watch = watchHost(() => { told++ })
      await until(() => children().length === 1)
      const [first] = children()
      process.kill(Number(first), 'SIGKILL')
      await until(() => children().length === 1 && children()[0] !== first)
      await until(() => told > 0)
      console.log('told')
      watch.stop()`,
      process.env,
      name,
    )
    assert.equal(ended, { code: 0, stdout: 'told\n', stderr: '' })
  }))

test('a process that ends without stop leaves no child behind', async () => {
  const ended = await node(
    `${IP}
    watchHost(() => {})
    await until(() => children().length === 1)
    console.log(children()[0])
    process.exit(0)`,
  )
  assert.is(ended.code, 0, ended.stderr)
  await gone(Number(ended.stdout))
})

test('of many in one process no word is said, and none leaves a child behind', async () => {
  const ended = await node(
    `${IP}
    const before = process.listenerCount('exit')
    const [first] = Array.from({ length: 12 }, () => watchHost(() => {}))
    await until(() => children().length === 12)
    const pids = children()
    first.stop()
    first.stop()
    console.log(pids.join(' '), process.listenerCount('exit') - before)
    process.exit(0)`,
  )
  assert.equal([ended.code, ended.stderr], [0, ''])
  const [listeners, ...pids] = ended.stdout.trim().split(' ').map(Number).reverse()
  assert.equal([listeners, pids.length], [1, 12])
  for (const pid of pids) await gone(pid)
})

test.run()
