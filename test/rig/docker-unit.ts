// What stands for systemd on a Docker host of the rig: a `systemctl` that starts and stops its dockerd, and its containerd's
// settings. Text alone; docker-host.ts puts it in place.

/**
 * As systemctl does for Docker's unit, which is of Type=notify: comes back when dockerd is ready, or fails when it ended; and
 * lets it be started three times, then not until the counter is reset.
 */
export const SYSTEMCTL = `#!/bin/sh
D=$(dirname "$0")/..
running() { grep -qs '^State:.[^ZX]' /proc/$P/status; }
[ "$1" = reset-failed ] && { rm -f $D/starts; exit 0; }
echo "$*" >> $D/asked
[ -e $D/broken ] && { echo "Failed to connect to bus" >&2; exit 1; }
if [ "$1" = stop ] || [ "$1" = restart ]; then
  P=$(cat /run/docker.pid 2>/dev/null) && kill $P 2>/dev/null && while running; do sleep 0.05; done
  rm -f /run/docker.pid
fi
[ "$1" = stop ] || [ -e $D/silent ] && exit 0
echo >> $D/starts
[ $(wc -l < $D/starts) -gt 3 ] && { echo "docker.service: Start request repeated too quickly." >&2; exit 1; }
S=/run/containerd/containerd.sock
if [ ! -S $S ]; then
  setsid containerd --config $D/containerd.toml </dev/null >>$D/containerd.log 2>&1 &
  P=$!
  while [ ! -S $S ] && running; do sleep 0.05; done
fi
setsid dockerd --cgroup-parent=/$(hostname) --containerd=$S $(cat $D/flags) </dev/null >>$D/dockerd.log 2>&1 &
P=$!
while running; do
  [ -S /run/docker.sock ] && /usr/bin/docker -H unix:///run/docker.sock version >/dev/null 2>&1 && exit 0
  sleep 0.05
done
echo "Job for docker.service failed because the control process exited with error code." >&2
exit 1
`

/** Beside dockerd, as Docker's unit has it, and not its child: dockerd takes a second to be sure that a child has ended. */
export const CONTAINERD = `version = 2
root = "/var/lib/docker/containerd"
disabled_plugins = ["io.containerd.grpc.v1.cri"]
`
