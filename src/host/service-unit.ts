// The systemd unit of `tsgre@NAME`, as text. It runs a configuration file with two capabilities and no more, as a user of its own:
// capabilities belong to threads, and Node's run before our first line, so they are limited before Node starts.

/** By this line a unit is known to be ours, and may be written over. */
export const UNIT_MARK = '# Written by tsgre install-service, which writes it anew.'

export interface UnitOptions {
  /** Of the program: Node, and what it runs. */
  readonly command: readonly string[]
  /** And group. */
  readonly user: string
}

export function serviceUnit({ command, user }: UnitOptions): string {
  return `${UNIT_MARK}
# %i is the name of a configuration: /etc/tsgre/%i.yaml. What must differ goes into a drop-in (systemctl edit tsgre@.service).
[Unit]
Description=Ethernet over GRE, %i
Documentation=man:tsgre(8)
Wants=network-online.target
After=network-online.target docker.service

[Service]
Type=notify
NotifyAccess=main
ExecStart=${command.map(quoted).join(' ')} --config /etc/tsgre/%i.yaml
ExecReload=/bin/kill -HUP $MAINPID
Restart=on-failure
RestartSec=2
# A bad configuration, or a capability that is missing: the next start would end in the same way.
RestartPreventExitStatus=2 77
WatchdogSec=30
TimeoutStopSec=30
User=${user}
Group=${user}
AmbientCapabilities=CAP_NET_ADMIN CAP_NET_RAW
CapabilityBoundingSet=CAP_NET_ADMIN CAP_NET_RAW
NoNewPrivileges=yes
# All instances have one directory, for their control sockets and journals; it stays when one of them ends.
# Of the group's too: a tunnel that root starts by hand gives away the right to write where it may not, and joins the group.
RuntimeDirectory=tsgre
RuntimeDirectoryMode=0770
RuntimeDirectoryPreserve=yes
Environment=XTABLES_LOCKFILE=/run/tsgre/xtables.lock
DevicePolicy=closed
DeviceAllow=/dev/net/tun rw
ProtectSystem=strict
ProtectHome=read-only
PrivateTmp=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
SystemCallArchitectures=native
# V8 asks for memory protection keys as it starts, whether the processor has them or not.
SystemCallFilter=@system-service @pkey
# What another version of Node asks for besides is refused, and does not end it.
SystemCallErrorNumber=EPERM

[Install]
WantedBy=multi-user.target
`
}

/** A word of a command line as systemd reads it: systemd.service(5), "Command lines". */
function quoted(word: string): string {
  const plain = word.replaceAll('%', '%%').replaceAll('$', '$$$$')
  return /^[\w@%+=:,./$-]+$/.test(plain) ? plain : `"${plain.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`
}
