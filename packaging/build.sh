#!/bin/sh
# build.sh server|station: builds build/deb/scantrail-PART_VERSION_ARCH.deb
#
# A package holds a virtual environment of Debian's own Python in /opt/scantrail-PART, all
# of it by hash, the units and what goes with them. PIP is a pip that can install into
# another Python; VERSION may name another version than the project's.
set -eu
umask 022
part=$1
here=$(cd "$(dirname "$0")" && pwd)
tree=$(dirname "$here")
pip=${PIP:-"$tree/.venv/bin/python -m pip"}
python=/usr/bin/python3
own=$(sed -n 's/^version = "\(.*\)"/\1/p' "$tree/pyproject.toml")
version=${VERSION:-$own}
arch=$(dpkg --print-architecture)
work=$tree/build/deb
root=$work/scantrail-$part
home=/opt/scantrail-$part
export SOURCE_DATE_EPOCH="${SOURCE_DATE_EPOCH:-$(git -C "$tree" log -1 --format=%ct)}"

case $part in
server) lock=constraints-labels.txt programs="scantrail-server scantrail" ;;
station) lock=constraints-edge.txt programs="scantrail-station" ;;
*) echo "build.sh server|station" >&2; exit 2 ;;
esac

rm -rf "$root" "$work/wheel"
mkdir -p "$root/DEBIAN" "$root/usr/bin"

# --- the environment, and the programs in it ------------------------------------------
$python -m venv --without-pip "$root$home"
quiet="--quiet --disable-pip-version-check"
$pip $quiet --python "$root$home/bin/python" install \
	--no-compile --no-warn-script-location --require-hashes --requirement "$tree/$lock"
$pip $quiet wheel --no-deps --no-index --no-build-isolation --wheel-dir "$work/wheel" "$tree"
$pip $quiet --python "$root$home/bin/python" install \
	--no-compile --no-warn-script-location --no-deps --no-index "$work"/wheel/scantrail-*.whl
# it knows itself by where it will be
grep -rlI --exclude-dir=site-packages "$root" "$root$home" | xargs -r sed -i "s|$root||g"
find "$root$home" -name direct_url.json -delete
find "$root$home" -name RECORD -exec sed -i '/direct_url\.json/d' {} +
$python -m compileall -q --invalidation-mode unchecked-hash -s "$root" -p / \
	"$root$home/lib"
for program in $programs; do
	ln -s "$home/bin/$program" "$root/usr/bin/$program"
done

# --- what systemd, udev and a reader need ---------------------------------------------
put() { install -D -m 644 "$tree/$1" "$root$2"; }
units=/usr/lib/systemd/system
doc=/usr/share/doc/scantrail-$part
if [ "$part" = server ]; then
	put systemd/scantrail-server.service $units/scantrail-server.service
	put systemd/scantrail-backup.service $units/scantrail-backup.service
	put systemd/scantrail-backup.timer $units/scantrail-backup.timer
	put systemd/scantrail-server.sysusers.conf /usr/lib/sysusers.d/scantrail-server.conf
	put systemd/scantrail-server.tmpfiles.conf /usr/lib/tmpfiles.d/scantrail-server.conf
else
	put systemd/scantrail-station@.service $units/scantrail-station@.service
	put systemd/scantrail-kiosk.service $units/scantrail-kiosk.service
	put systemd/scantrail.sysusers.conf /usr/lib/sysusers.d/scantrail.conf
	put systemd/scantrail.tmpfiles.conf /usr/lib/tmpfiles.d/scantrail.conf
	put systemd/scantrail.modules-load.conf /usr/lib/modules-load.d/scantrail.conf
	put systemd/61-scantrail.rules /usr/lib/udev/rules.d/61-scantrail.rules
	put systemd/91-scantrail-brltty.rules /usr/lib/udev/rules.d/91-scantrail-brltty.rules
	put systemd/scantrail-kiosk.chromium.json /usr/share/scantrail-station/scantrail-kiosk.chromium.json
fi
for page in "$tree"/docs/*.md; do put "docs/$(basename "$page")" "$doc/$(basename "$page")"; done
for file in "$tree"/docs/monitoring/*; do
	put "docs/monitoring/$(basename "$file")" "$doc/monitoring/$(basename "$file")"
done
put LICENSE "$doc/copyright"

# --- the package ----------------------------------------------------------------------
next=$($python -c 'import sys; print(f"3.{sys.version_info[1] + 1}")')
this=$($python -c 'import sys; print(f"3.{sys.version_info[1]}")')
sed -e "s|@VERSION@|$version|; s|@ARCH@|$arch|; s|@THIS@|$this|; s|@NEXT@|$next|" \
	"$here/$part/control" >"$root/DEBIAN/control"
echo "Installed-Size: $(du -sk "$root" | cut -f1)" >>"$root/DEBIAN/control"
for script in postinst prerm postrm; do
	install -m 755 "$here/$part/$script" "$root/DEBIAN/$script"
done
deb=$work/scantrail-${part}_${version}_$arch.deb
dpkg-deb --root-owner-group --build "$root" "$deb" >&2
rm -rf "$root" "$work/wheel"
echo "$deb"
