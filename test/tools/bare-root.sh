#!/bin/sh
# `npm run test:bare`: the two commands of README.md on a bare Debian with nothing but Node and npm, in a root of its own; needs root,
# debootstrap and half an hour. BARE_ONLY=start runs the first command only.
set -eu
tree=$(cd "$(dirname "$0")/../.." && pwd)
root=$(mktemp -d -p /var/tmp --suffix=.flowberry-bare)
clean() {
  for name in dev/net/tun dev/urandom dev/random dev/zero dev/null dev/pts dev sys proc; do umount -l "$root/$name" 2> /dev/null || true; done
  rm -rf --one-file-system "$root"
}
trap clean EXIT INT TERM

debootstrap --variant=minbase --include=ca-certificates trixie "$root" > /dev/null
mount --bind /proc "$root/proc"
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
mount -t sysfs sysfs "$root/sys"
for name in null zero random urandom; do
  : > "$root/dev/$name"
  mount --bind "/dev/$name" "$root/dev/$name"
done
# What apt and npm go by on this machine.
cp /etc/resolv.conf "$root/etc/resolv.conf"
for file in /etc/hosts "$HOME/.npmrc" /etc/ssl/certs/ca-certificates.crt; do [ ! -f "$file" ] || install -D -m 644 "$file" "$root$file"; done
sed -i '/^nodedir/d' "$root$HOME/.npmrc" 2> /dev/null || true
for file in /etc/apt/apt.conf.d/*; do
  case $file in */docker-* | */20listchanges) ;; *[Pp]rox*) cp "$file" "$root$file" ;; esac
done

inside() { chroot "$root" /bin/bash -ec "$1"; }
inside 'apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends nodejs npm' > /dev/null
echo "bare: Debian $(cat "$root/etc/debian_version"), Node $(inside 'node --version')"

# The first command, as a fresh clone has the tree.
mkdir -p "$root/root/flowberry"
git -C "$tree" archive HEAD | tar -x -C "$root/root/flowberry"
inside 'cd /root/flowberry
  timeout -s TERM 900 npm start > /tmp/start.log 2>&1 &
  started=$!
  for i in $(seq 900); do grep -q "\"msg\":\"capturing\"" /tmp/start.log 2> /dev/null && break; sleep 1; done
  grep "\"msg\":\"capturing\"" /tmp/start.log || { cat /tmp/start.log; exit 1; }
  node dist/src/main.js status | head -n 1
  # npm may end before the daemon has.
  kill -TERM $started; wait $started || true
  for i in $(seq 20); do grep -q "\"msg\":\"stopped\"" /tmp/start.log && break; sleep 1; done
  grep "\"msg\":\"stopped\"" /tmp/start.log || { cat /tmp/start.log; exit 1; }'
echo 'bare: npm start works'
[ "${BARE_ONLY:-}" = start ] || inside 'cd /root/flowberry && npm test'
