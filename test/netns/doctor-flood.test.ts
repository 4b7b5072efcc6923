// The doctor where packets come faster than it opens its sockets.

import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { doctorOn } from '../rig/doctor.js'
import { Mesh } from '../rig/mesh.js'

/** Sends one packet to an address without end: TO HEX. */
const FLOOD = [
  'import socket, sys',
  's = socket.socket(socket.AF_INET, socket.SOCK_RAW, 47)',
  's.connect((sys.argv[1], 0))',
  'packet = bytes.fromhex(sys.argv[2])',
  'print("floods", flush=True)',
  'while True:',
  '  try: s.send(packet)',
  '  except OSError: pass', // ICMP: nobody there takes GRE
].join('\n')
const FRAME = '00'.repeat(60)
const WITH_KEY_7 = `2000655800000007${FRAME}`
const WITHOUT_KEY = `00006558${FRAME}`

test('packets of one remote are not taken for those of another, however fast they come', async () => {
  using mesh = new Mesh(3)
  const [one, other, here] = [mesh.address('h1'), mesh.address('h2'), mesh.address('h3')]
  await mesh.spawn('h1', ['python3', '-c', FLOOD, here, WITH_KEY_7]).waitFor(/floods/)
  await mesh.spawn('h2', ['python3', '-c', FLOOD, here, WITHOUT_KEY]).waitFor(/floods/)
  for (let run = 0; run < 3; run++) {
    const { findings } = await doctorOn(mesh, 'h3', ['--remote', `${one},key=7`, '--remote', other])
    const match = findings.filter(({ check }) => check === 'match')
    assert.equal(
      match.map(({ code, remote }) => [code, remote]),
      [
        ['ok', one],
        ['ok', other],
      ],
      JSON.stringify(match),
    )
  }
})

test.run()
