import { execFileSync } from 'node:child_process'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { CAPABILITIES, parsePrivileges, readPrivileges } from '#tsgre/sys/capabilities.js'
import { number, tableUnder } from '../../rig/notes.js'

const STATUS = `Name:\tnode
Uid:\t1000\t0\t1000\t1000
CapInh:\t0000000000000000
CapPrm:\t0000000000003000
CapEff:\t0000020000003000
CapBnd:\t000001ffffffffff
CapAmb:\t0000000000002000
NoNewPrivs:\t1
`

test('reads the effective user, the sets by name and no_new_privs of a status file', () => {
  const { uid, effective, bounding, ambient, noNewPrivileges } = parsePrivileges(STATUS)
  assert.is(uid, 0)
  assert.equal(effective, ['cap_net_admin', 'cap_net_raw', 'cap_41'])
  assert.equal(bounding, [...CAPABILITIES])
  assert.equal(ambient, ['cap_net_raw'])
  assert.is(noNewPrivileges, true)
})

test('takes a kernel without a field for one without the right', () => {
  assert.equal(parsePrivileges('Uid:\t0\t0\t0\t0\n'), {
    uid: 0,
    effective: [],
    bounding: [],
    ambient: [],
    noNewPrivileges: false,
  })
})

test('reads this process as setpriv(1) does', () => {
  const said = execFileSync('setpriv', ['--dump'], { encoding: 'utf8' })
  const names = /^Capability bounding set: (.*)$/m.exec(said)![1]!.split(',')
  const known = names.filter((name) => name !== '[none]').map((name) => `cap_${name.replace(/^cap_/, '')}`)
  assert.equal([...readPrivileges().bounding].sort(), known.sort())
})

test('the list of the note is that of the code', () => {
  const { rows } = tableUnder('native-notes/privileges.md', 'Capabilities')
  assert.equal(
    rows.map(({ name, value }) => [name, number(value!)]),
    CAPABILITIES.map((name, value) => [name, value]),
  )
})

test.run()
