import { Worker } from 'node:worker_threads'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { ERRNO, errnoName, errnoOfText } from '#tsgre/sys/errno.js'
import { close, errno, errnoText, pollLater } from '#tsgre/sys/libc.js'

test('names an errno as errno(3) does', () => {
  for (const name of ['EPERM', 'EAGAIN', 'EBADFD', 'ENOTSOCK', 'ENETUNREACH', 'EHOSTDOWN', 'ENONET'])
    assert.is(errnoName(ERRNO[name]!), name)
})

test('prefers EAGAIN to EWOULDBLOCK and ENOTSUP to EOPNOTSUPP, which are the same numbers', () => {
  assert.is(ERRNO.EAGAIN, ERRNO.EWOULDBLOCK)
  assert.is(errnoName(ERRNO.EWOULDBLOCK!), 'EAGAIN')
  assert.is(errnoName(ERRNO.EOPNOTSUPP!), 'ENOTSUP')
})

test('says the number where there is no name', () => {
  assert.is(errnoName(4095), 'errno 4095')
  assert.is(errnoName(0), 'errno 0')
})

test('finds every errno by what strerror(3) says of it', () => {
  for (const value of new Set(Object.values(ERRNO))) assert.is(errnoOfText(errnoText(value)), value, errnoName(value))
})

test('finds no errno in any other text', () => {
  for (const text of ['', 'Success', '-9', 'Operation not permitted.']) assert.is(errnoOfText(text), 0, text)
})

test('reads the errno of the call before', () => {
  assert.is(close(-1), -1)
  assert.is(errno(), ERRNO.EBADF)
})

test('has the errno of an asynchronous call in its callback', async () => {
  const seen = await new Promise((resolve) => pollLater(8, 1, 0, (_, ready) => resolve([ready, errnoName(errno())])))
  assert.equal(seen, [-1, 'EFAULT'])
})

test('keeps one errno a thread: what fails in a worker does not show here', async () => {
  const libc = new URL('../../../../dist/sys/libc.js', import.meta.url)
  const code = `import { poll, errno } from '${libc}'
    import { parentPort } from 'node:worker_threads'
    parentPort.postMessage([poll(8, 1, 0), errno()])`
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(code)}`))
  close(-1)
  const there = await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject))
  assert.equal(there, [-1, ERRNO.EFAULT])
  await new Promise((resolve) => worker.once('exit', resolve))
  close(-1)
  assert.is(errno(), ERRNO.EBADF)
})

test.run()
