#!/bin/sh
# Installs flowberry from this tree as a service of systemd. Can be run again at any time.
#
#   deploy/install.sh             install, or upgrade what is installed
#   deploy/install.sh rollback    back to the version before the last upgrade, and to its database
#   deploy/install.sh uninstall   take it away; configuration and database stay, unless --purge is given
#
# --node FILE  the Node to use (default: that in the PATH)     --no-start  do not start the service
# --root DIR   install below DIR and leave the system alone, for images and tests
#
# It writes /opt/flowberry, /usr/local/bin/flowberry, /etc/flowberry, /var/lib/flowberry, its units in /etc/systemd/system, and the
# user flowberry. A file in one of these places that it has not written is left alone, and the installation refused.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
tree=$(dirname "$here")
command=install
purge=false
start=true
node=
root=
while [ $# -gt 0 ]; do
  case $1 in
    install | upgrade) command=install ;;
    rollback | uninstall) command=$1 ;;
    --purge) purge=true ;;
    --no-start) start=false ;;
    --node) node=$2 && shift ;;
    --root) root=$2 && shift ;;
    -h | --help) sed -n '2,13s/^# \{0,1\}//p' "$0" && exit 0 ;;
    *) echo "flowberry: unknown word $1; see $0 --help" >&2 && exit 64 ;;
  esac
  shift
done
# shellcheck source=deploy/lib.sh
. "$here/lib.sh"

home=$root/opt/flowberry
units=$root/etc/systemd/system
wrapper=$root/usr/local/bin/flowberry
configuration=$root/etc/flowberry/flowberry.toml
mark='# Written by deploy/install.sh of flowberry.'

is_ours() {
  if [ ! -e "$1" ] && [ ! -L "$1" ]; then return 0; fi
  grep -qxF "$mark" "$1" 2> /dev/null
}

# Writes standard input to a file, whole or not at all, with the mark in its second line.
write_ours() {
  mkdir -p "$(dirname "$1")"
  awk -v mark="$mark" 'NR == 1 && /^#!/ { print; print mark; next } NR == 1 { print mark } { print }' > "$1.new"
  chmod "$2" "$1.new"
  mv "$1.new" "$1"
}

refuse_foreign() {
  if [ -e "$root/usr/lib/flowberry" ]; then fail "flowberry is installed as a Debian package: upgrade or remove that with apt"; fi
  for file in "$wrapper" "$units/flowberry.service" "$units/flowberry-backup.service" "$units/flowberry-backup.timer"; do
    is_ours "$file" || fail "$file is there and was not written by this script: move it away"
  done
  if [ -e "$home" ] && [ ! -f "$home/.flowberry" ]; then fail "$home is there and was not made by this script: move it away"; fi
}

find_node() {
  [ -n "$node" ] || node=$(command -v node) || fail "there is no node in the PATH; name one with --node"
  node=$(readlink -f "$node")
  "$node" -e 'const [a, b] = process.versions.node.split("."); process.exit(a > 20 || (a == 20 && b >= 19) ? 0 : 1)' ||
    fail "flowberry needs Node 20.19 or newer; $node is $("$node" --version)"
}

link_of() { basename "$(readlink "$home/$1" 2> /dev/null || true)"; }

point() {
  ln -sfn "releases/$2" "$home/$1.new"
  mv -T "$home/$1.new" "$home/$1"
}

install_release() {
  release=$home/releases/$1
  [ ! -d "$release" ] || return 0
  mkdir -p "$home/releases"
  : > "$home/.flowberry"
  rm -rf "$release.new"
  "$node" "$here/package/stage.mjs" "$release.new"
  # A Node of its own: that of the system may be replaced by one for which the native modules are not compiled, and what lies in a
  # home directory is out of the service's sight.
  mkdir -p "$release.new/bin"
  cp "$node" "$release.new/bin/node"
  chmod -R go-w "$release.new"
  mv "$release.new" "$release"
}

write_files() {
  printf '#!/bin/sh\nexec /opt/flowberry/current/bin/node /opt/flowberry/current/dist/src/main.js "$@"\n' | write_ours "$wrapper" 0755
  for name in flowberry.service flowberry-backup.service flowberry-backup.timer; do
    sed 's#/usr/bin/flowberry#/usr/local/bin/flowberry#; s#file:///usr/share/doc/flowberry/#file:///opt/flowberry/current/deploy/#' \
      "$here/systemd/$name" | write_ours "$units/$name" 0644
  done
  write_cpu_setting
  if [ ! -e "$configuration" ]; then
    mkdir -p "$(dirname "$configuration")"
    cp "$here/flowberry.toml" "$configuration"
    chmod 0644 "$configuration"
  fi
}

stop_service() { ! has_systemd || systemctl stop "$unit" flowberry-backup.timer 2> /dev/null || true; }

# Starts the service and waits until it says that it is ready, or stays without an interface to capture from.
start_service() {
  has_systemd || return 0
  systemctl daemon-reload
  systemctl enable --quiet "$unit"
  $start || return 0
  systemctl start --no-block "$unit"
  # The timer of the backup is switched on by whoever wants it.
  if systemctl is-enabled --quiet flowberry-backup.timer; then systemctl start flowberry-backup.timer; fi
  for _ in $(seq 60); do
    sleep 1
    case $(systemctl show -p ActiveState,SubState --value "$unit" | tr '\n' ' ') in
      'active running '*) return 0 ;;
      'activating auto-restart '* | 'failed '*) return 1 ;;
    esac
  done
  case $(systemctl show -p StatusText --value "$unit") in
    'starting: waiting for '*) say "the service waits for its interface: systemctl status flowberry" ;;
    *) return 1 ;;
  esac
}

roll_back() {
  previous=$(link_of previous)
  if [ -z "$previous" ] || [ ! -d "$home/releases/$previous" ]; then fail "there is no version to go back to"; fi
  stop_service
  point current "$previous"
  rm -f "$home/previous"
  restore_database "$previous"
  start_service || fail "the version before does not start either: journalctl -u flowberry"
  say "back to $previous"
}

do_install() {
  refuse_foreign
  find_node
  PATH=$(dirname "$node"):$PATH "$node" "$here/setup.mjs"
  id=$("$node" -p 'require(process.argv[1]).version' "$tree/package.json")-$(sha256sum < "$tree/dist/.build" | cut -c 1-8)
  before=$(link_of current)
  install_release "$id"
  make_user
  make_directories
  if [ -n "$before" ] && [ "$before" != "$id" ]; then
    stop_service
    keep_database "$before"
    point previous "$before"
  fi
  point current "$id"
  write_files
  if [ -z "$root" ] && ! "$wrapper" config check --config "$configuration" > /dev/null; then
    [ -z "$before" ] || [ "$before" = "$id" ] || roll_back
    fail "the configuration does not hold"
  fi
  if ! start_service; then
    if [ -n "$before" ] && [ "$before" != "$id" ]; then
      say "version $id does not start: journalctl -u flowberry tells why"
      roll_back
      exit 1
    fi
    fail "the service does not start: journalctl -u flowberry tells why"
  fi
  # Two versions are kept: this one, and the one to go back to.
  for release in "$home"/releases/*; do
    name=$(basename "$release")
    [ "$name" = "$id" ] || [ "$name" = "$(link_of previous)" ] || rm -rf "$release"
  done
  say "version $id is installed$([ "$before" != "$id" ] || echo ' already')"
}

do_uninstall() {
  refuse_foreign
  if has_systemd; then systemctl disable --now --quiet "$unit" flowberry-backup.timer 2> /dev/null || true; fi
  rm -f "$wrapper" "$units/flowberry.service" "$units/flowberry-backup.service" "$units/flowberry-backup.timer"
  write_cpu_setting 4
  rm -rf "$home"
  ! has_systemd || systemctl daemon-reload
  if $purge; then
    rm -rf "$state" "$root/etc/flowberry"
    if [ -z "$root" ] && getent passwd flowberry > /dev/null; then userdel flowberry; fi
    say "removed, with configuration and database"
  else
    say "removed; configuration and database stay in $root/etc/flowberry and $state"
  fi
}

if [ -z "$root" ] && [ "$(id -u)" != 0 ]; then fail "run it as root: sudo $0 $command"; fi
case $command in
  install) do_install ;;
  rollback) roll_back ;;
  uninstall) do_uninstall ;;
esac
