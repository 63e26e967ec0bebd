#!/bin/sh
# try.sh: installs, upgrades, removes and purges both packages in a clean Debian, as root.
# A scan goes from a station to the server's answer there; an outbox stays where it is.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
[ "$(id -u)" = 0 ] || { echo "as root: a clean Debian is made for it" >&2; exit 1; }
command -v mmdebstrap >/dev/null || { echo "apt install mmdebstrap" >&2; exit 1; }
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
say() { echo "== $*" >&2; }
within() { chroot "$root" env PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 "$@"; }
must() { "$@" || { echo "FAILED: $*" >&2; exit 1; }; }

# packed quickly: they go no further
export DPKG_DEB_COMPRESSOR_TYPE=gzip DPKG_DEB_COMPRESSOR_LEVEL=1
say "packages of two versions"
for part in server station; do
	for version in 0.0.1 0.0.2; do
		deb=$(VERSION=$version "$here/build.sh" $part)
		eval "${part}_$(echo $version | tr . _)=$deb"
	done
done
say "a clean Debian"
mmdebstrap --quiet --variant=minbase --include=python3,systemd,udev bookworm "$root"
cp "$server_0_0_1" "$server_0_0_2" "$station_0_0_1" "$station_0_0_2" "$root/root/"
mount -t proc proc "$root/proc"
trap 'umount "$root/proc" && rm -rf "$root"' EXIT
names="scantrail-server scantrail-station"
install() { for name in $names; do within sh -c "dpkg -i /root/${name}_$1_*.deb" >&2; done; }

say "installed"
install 0.0.1
for name in $names; do must within $name --help >/dev/null; done
must within sh -c 'find /opt -xtype l | { ! grep .; }'
must within sh -c 'test "$(stat -c %U:%a /var/lib/scantrail)" = scantrail:700'
must within sh -c 'test "$(stat -c %U:%a /var/lib/scantrail-server)" = scantrail-server:700'

say "a scan goes through"
within scantrail-server init --host 127.0.0.1 --port 18471 --tls own \
	--data /var/lib/scantrail-server >"$root/root/key"
cat >"$root/root/way.sh" <<'WAY'
set -eu
as() { who=$1; shift; setpriv --reuid "$who" --regid "$who" --init-groups "$@"; }
rm -f /tmp/address /tmp/log
setpriv --reuid scantrail-server --regid scantrail-server --init-groups \
	scantrail-server serve --config /etc/scantrail/server.toml >/tmp/address 2>/tmp/log &
server=$!
trap 'kill $server; wait $server' EXIT
for _ in $(seq 300); do [ -s /tmp/address ] && break; sleep 0.1; done
url=$(sed -n 's/.*stations join [^#]*\(#sha256:[0-9a-f]*\).*/\1/p' /tmp/log)
url="$(cat /tmp/address)$url"
code=$(scantrail-server station-code DOCK-1 --location DOCK-1 --server "$url" --key "$(cat /root/key)")
[ -e /var/lib/scantrail/main/identity.json ] ||
	as scantrail scantrail-station join "$url" "$code" --data /var/lib/scantrail/main
printf 'X-RECEIVE\n%s\n' "$1" |
	as scantrail scantrail-station run --data /var/lib/scantrail/main --drain
scantrail trace "$1" --server "$url" --key "$(cat /root/key)"
as scantrail-server scantrail-server doctor --config /etc/scantrail/server.toml
WAY
within sh /root/way.sh P-1 >&2

say "upgraded"
install 0.0.2
within sh /root/way.sh P-2 >&2
must within sh -c 'dpkg-query -W -f "\${Version}\n" scantrail-server | grep -qx 0.0.2'

say "removed, and purged"
kept() {
	must test -s "$root/var/lib/scantrail/main/outbox.db"
	must test -s "$root/var/lib/scantrail-server/scantrail.db"
}
within dpkg -r $names >&2
must test ! -e "$root/usr/bin/scantrail-station"
kept
within dpkg -P $names >&2
kept
must test ! -e "$root/opt/scantrail-server"
must test ! -e "$root/etc/scantrail/server.toml"
say "installed again: what was there goes on"
install 0.0.2
within scantrail-server init --host 127.0.0.1 --port 18471 --tls own \
	--data /var/lib/scantrail-server >/dev/null
within sh /root/way.sh P-3 >&2
say "all is well"
