#!/usr/bin/env bash
# Makes this machine ready for the tests, the bench or a demo: setup.sh [test|bench|demo|demo:docker].
# Debian packages first, then npm's optional raw-socket, which npm leaves out where there was no compiler at install time.
# Silent when nothing is missing; never touches package.json or package-lock.json.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin

list=${1:-test}
# package:command, the command standing for the package
wants=() # what the list can do without
needs=(iproute2:ip iputils-ping:ping procps:sysctl tcpdump:tcpdump iperf3:iperf3)
case $list in
  test) needs+=(curl:curl tmux:tmux docker.io:dockerd iptables:iptables busybox-static:busybox ethtool:ethtool nftables:nft openvswitch-switch:ovs-vswitchd tshark:tshark build-essential:g++ build-essential:make python3:python3 dnsmasq-base:dnsmasq systemd:systemd-analyze util-linux:setpriv zsh:zsh fish:fish) ;;
  bench) needs+=(ethtool:ethtool nftables:nft); wants=(openvswitch-switch:ovs-vswitchd openvpn:openvpn build-essential:cc) ;;
  demo) ;;
  demo:docker) needs+=(docker.io:dockerd iptables:iptables busybox-static:busybox) ;;
  *) echo "setup: no list '$list'; there are test, bench, demo and demo:docker" >&2; exit 2 ;;
esac
compiler=(build-essential:g++ build-essential:make python3:python3)

log=$(mktemp)
trap 'rm -f "$log"' EXIT

quietly() { "$@" >"$log" 2>&1 || { local code=$?; cat "$log" >&2; return "$code"; }; }

# The packages of `package:command` pairs whose command is not there, each once.
missing() {
  local pair
  for pair; do command -v "${pair#*:}" >/dev/null || echo "${pair%%:*}"; done | sort -u
}

can_install() { [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; }

apt() { DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 -y "$@"; }

install() {
  echo "setup: installing $*" >&2
  quietly apt update && quietly apt install --no-install-recommends "$@"
}

raw_socket_loads() { node -e "require('raw-socket')" 2>/dev/null; }

# A failed optional build leaves no folder, and `npm rebuild` then has nothing to do; `--ignore-scripts` leaves an unbuilt one.
build_raw_socket() {
  if [ -d node_modules/raw-socket ]; then
    quietly npm rebuild raw-socket
  else
    quietly npm install --no-save --no-audit --no-fund "raw-socket@$(node -p "require('./package.json').optionalDependencies['raw-socket']")"
  fi && raw_socket_loads
}

packages=$(missing "${needs[@]}" "${wants[@]}")
# shellcheck disable=SC2086 # package names, to be split
if [ -n "$packages" ]; then
  if can_install; then install $packages || true; fi
  packages=$(missing "${needs[@]}")
  if [ -n "$packages" ]; then
    echo "setup: missing Debian packages: "$packages >&2
    echo "setup: as root: apt-get install --no-install-recommends "$packages >&2
    exit 1
  fi
  packages=$(missing "${wants[@]}")
  if [ -n "$packages" ]; then
    echo "setup: missing Debian packages: "$packages"; the $list leaves out what needs them" >&2
  fi
fi

if ! raw_socket_loads; then
  packages=$(missing "${compiler[@]}")
  # shellcheck disable=SC2086
  if [ -n "$packages" ] && can_install; then install $packages || true; fi
  if ! build_raw_socket; then
    echo "setup: npm's optional raw-socket is not built, so --io raw-socket cannot be used; it needs build-essential and python3" >&2
    if [ "${CI:-}" = true ]; then exit 1; fi
  fi
fi
