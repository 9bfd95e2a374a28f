# Functions that install.sh and the Debian package share. POSIX sh; `root` is where the file system begins, '' but for tests.
root=${root:-}
state=$root/var/lib/flowberry
database=$state/flowberry.db
unit=flowberry.service

say() { echo "flowberry: $*"; }

fail() {
  echo "flowberry: $*" >&2
  exit 1
}

has_systemd() { [ -z "$root" ] && [ -d /run/systemd/system ]; }

# Asks the administrator's policy, as invoke-rc.d does.
may_start() { [ ! -x /usr/sbin/policy-rc.d ] || /usr/sbin/policy-rc.d "$unit" start > /dev/null 2>&1; }

make_user() {
  [ -z "$root" ] || return 0
  getent passwd flowberry > /dev/null && return 0
  useradd --system --user-group --home-dir /var/lib/flowberry --no-create-home --shell /usr/sbin/nologin flowberry
}

make_directories() {
  mkdir -p "$state"
  chmod 0700 "$state"
  [ -n "$root" ] || chown flowberry:flowberry "$state"
}

# The unit asks for CPUs 1 to 3; with fewer than four, whatever there is.
write_cpu_setting() {
  cpus=${1:-$(nproc --all)}
  folder=$root/etc/systemd/system/$unit.d
  if [ "$cpus" -ge 4 ]; then
    rm -f "$folder/flowberry-cpus.conf"
    rmdir "$folder" 2> /dev/null || true
    return 0
  fi
  mkdir -p "$folder"
  printf '# Written at installation: this machine has %s CPUs.\n[Service]\nCPUAffinity=\n' "$cpus" > "$folder/flowberry-cpus.conf"
}

# Copies the database, of which nobody has a connection open now, to before-upgrade/; the copy before that goes. A migration can be
# undone with it. Without room for a copy nothing is copied, and that is said.
keep_database() {
  from=$1
  copies=$state/before-upgrade
  [ -f "$database" ] || return 0
  used=$(du -k -c "$database" "$database-wal" 2> /dev/null | tail -n 1 | cut -f 1)
  free=$(df -k -P "$state" | tail -n 1 | awk '{ print $4 }')
  rm -rf "$copies"
  if [ "$free" -lt $((used + used / 10 + 65536)) ]; then
    say "no copy of the database is kept: it takes $used KiB, and $free KiB are free"
    return 0
  fi
  mkdir -p "$copies/$from.new"
  for name in flowberry.db flowberry.db-wal; do
    [ ! -f "$state/$name" ] || cp -p "$state/$name" "$copies/$from.new/$name"
  done
  sync
  mv "$copies/$from.new" "$copies/$from"
  chmod 0700 "$copies" "$copies/$from"
  [ -n "$root" ] || chown -R flowberry:flowberry "$copies"
}

# Puts the copy made before the upgrade from version $1 back; what is there now is set aside in after-upgrade/.
restore_database() {
  copy=$state/before-upgrade/$1
  [ -f "$copy/flowberry.db" ] || return 0
  rm -rf "$state/after-upgrade"
  mkdir -p "$state/after-upgrade"
  chmod 0700 "$state/after-upgrade"
  for name in flowberry.db flowberry.db-wal flowberry.db-shm; do
    [ ! -f "$state/$name" ] || mv "$state/$name" "$state/after-upgrade/$name"
  done
  for name in flowberry.db flowberry.db-wal; do
    [ ! -f "$copy/$name" ] || cp -p "$copy/$name" "$state/$name"
  done
  sync
  say "the database is as it was before the upgrade; what came after is in $state/after-upgrade"
}
