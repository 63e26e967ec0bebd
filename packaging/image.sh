#!/bin/sh
# image.sh [BUILDAH-ARGUMENT…]: builds the server's container image without a daemon and
# without a registry of images, as root, and tries it. What follows goes to `buildah build`,
# such as --volume /etc/pip.conf:/etc/pip.conf:ro where pip needs to be told something.
#
# BASE is an image to build on; without one a Debian is made from its packages.
set -eu
tree=$(dirname "$(cd "$(dirname "$0")" && pwd)")
[ "$(id -u)" = 0 ] || { echo "as root: a Debian is made for it" >&2; exit 1; }
for program in buildah mmdebstrap; do
	command -v $program >/dev/null || { echo "apt install buildah mmdebstrap" >&2; exit 1; }
done
suite=bookworm base=${BASE:-localhost/scantrail-base:$suite} tag=scantrail
work=$(mktemp -d)
made=
end() {
	[ -z "$made" ] || box rm "$made" >/dev/null
	rm -rf "$work"
}
trap end EXIT
box() { buildah --storage-driver vfs "$@"; }
must() { "$@" || { echo "FAILED: $*" >&2; exit 1; }; }
say() { echo "== $*" >&2; }

if [ -z "${BASE:-}" ]; then
	say "a Debian with Python"
	mmdebstrap --quiet --variant=minbase --include=python3,python3-venv,ca-certificates \
		--aptopt='Acquire::Languages "none"' $suite "$work/base.tar"
	made=$(box from scratch)
	box add --quiet "$made" "$work/base.tar" / >/dev/null
	box config --env PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$made"
	box commit --quiet "$made" "$base" >/dev/null
	box rm "$made" >/dev/null
	made=
fi

say "the image"
box build --isolation chroot --format docker --network host --build-arg BASE="$base" "$@" \
	--file "$tree/packaging/Containerfile" --tag $tag "$tree" >"$work/log" 2>&1 ||
	{ tail -40 "$work/log" >&2; exit 1; }

say "nothing in it is an identity"
made=$(box from --pull-never $tag)
root=$(box mount "$made")
must test -z "$(ls -A "$root/data")"
must test -z "$(cat "$root/etc/machine-id" 2>/dev/null || true)"
must test -z "$(find "$root" -xdev -type f \( -name identity.json -o -name own-log.json \
	-o -name key.pem -o -name 'scantrail.db*' -o -name 'ssh_host_*' \) -print)"

say "it serves, as a user without rights"
mkdir "$work/data"
chown 10001 "$work/data"
within() { box run --isolation chroot --volume "$work/data:/data" "$made" -- "$@"; }
within sh -c 'test "$(id -u)" = 10001 && ! touch /etc/mine 2>/dev/null' ||
	{ echo "FAILED: it can write to its system" >&2; exit 1; }
within sh -c 'scantrail-server serve --config /etc/scantrail/server.toml >/data/address &
	server=$!
	for _ in $(seq 600); do [ -s /data/address ] && break; sleep 0.1; done
	scantrail-server key --data /data --scope admin >/dev/null
	scantrail-server doctor --config /etc/scantrail/server.toml
	said=$?
	kill $server; wait $server; exit $said' >&2
say "$(box images --format '{{.Name}}:{{.Tag}} {{.Size}}' | grep "/$tag:")"
