#!/usr/bin/env bash
# Build the guest: build.sh FOLDER WHEELS
#
# FOLDER gets vmlinux, initrd and root.img; WHEELS is a folder with a wheel of everything
# that a station needs. It runs as root, for the owners in the image, and installs
# nothing on this machine. Debian packages come from where this machine has its own.
set -euo pipefail

mkdir -p "$1"
folder=$(cd "$1" && pwd) wheels=$(cd "$2" && pwd)
here=$(cd "$(dirname "$0")" && pwd)
suite=bookworm
cd "$folder"

step() { printf '%s  image: %s\n' "$(date +%T)" "$*"; }

mirror() {
    apt-get indextargets --format '$(CODENAME) $(COMPONENT) $(SITE)' \
        'Created-By: Packages' |
        awk -v suite="$suite" '$1 == suite && $2 == "main" { print $3; exit }'
}

insmod_order() { # DIR VERSION MODULE…: the files to load, in order
    local dir=$1 version=$2
    shift 2
    for module in "$@"; do
        modprobe -d "$dir" -S "$version" --show-depends "$module" |
            awk '$1 == "insmod" { print $2 }'
    done | awk '!seen[$0]++'
}

step "Debian $suite"
rm -rf rootfs
url=$(mirror)
# shellcheck disable=SC2016 # $1 and $(…) are for the hook's own shell
mmdebstrap --quiet --variant=minbase --aptopt='Acquire::Languages "none"' \
    --include="$(paste -sd, "$here/packages.txt")" --dpkgopt=force-unsafe-io \
    --dpkgopt='path-exclude=/usr/share/doc/*' \
    --dpkgopt='path-exclude=/usr/share/man/*' \
    --dpkgopt='path-exclude=/usr/share/locale/*' \
    --customize-hook='chroot "$1" sh -c "cd /var/tmp && apt-get -qq download \
        $(chroot "$1" apt-cache depends linux-image-amd64 |
            awk "/Depends:/ { print \$2; exit }")"' \
    "$suite" rootfs ${url:+"deb $url $suite main"}

step kernel
rm -rf kernel
mv rootfs/var/tmp/linux-image-*.deb kernel.deb
dpkg-deb -x kernel.deb kernel
rm kernel.deb
version=$(ls kernel/lib/modules)
python3 "$here/kernel.py" "kernel/boot/vmlinuz-$version" vmlinux
depmod -b kernel "$version"
modules=$(cat "$here/modules.txt")
# shellcheck disable=SC2086 # they are words
insmod_order "$PWD/kernel" "$version" $modules | while read -r file; do
    install -D -m644 "$file" "rootfs/lib/modules/${file#*/lib/modules/}"
done
cp "kernel/lib/modules/$version"/modules.{builtin,builtin.modinfo,order} \
    "rootfs/lib/modules/$version/"
depmod -b rootfs "$version"
rm -rf kernel

step initrd
rm -rf early
mkdir -p early/{bin,proc,sys,dev,lower,upper,root}
cp /bin/busybox early/bin/
install -m755 "$here/init" early/init
insmod_order "$PWD/rootfs" "$version" \
    virtio_pci virtio_blk crc32c_generic ext4 overlay virtio_console |
    while read -r file; do
        cp "$file" early/
        printf '/%s\n' "${file##*/}"
    done >early/modules.order
(cd early && find . | cpio -o -H newc --quiet) >initrd
rm -rf early

step "what the station stands on"
cp -r "$wheels" rootfs/var/tmp/wheels
chroot rootfs python3 -m venv /opt/scantrail
chroot rootfs sh -c '/opt/scantrail/bin/pip install --quiet --no-index --no-deps \
    --disable-pip-version-check /var/tmp/wheels/*.whl'
chroot rootfs python3 -m compileall -q /usr/lib/python3.11
rm -r rootfs/var/tmp/wheels

step "what makes it a bench"
chroot rootfs useradd --system --groups input,dialout scantrail
install -m644 "$here/agent.py" rootfs/usr/local/lib/scantrail-agent.py
install -m644 "$here"/{agent.service,bench.target} rootfs/etc/systemd/system/
ln -sf bench.target rootfs/etc/systemd/system/default.target
echo bench >rootfs/etc/hostname
printf '127.0.0.1 localhost bench\n' >rootfs/etc/hosts
: >rootfs/etc/fstab
echo 0123456789abcdef0123456789abcdef >rootfs/etc/machine-id

step "file system"
size=$(($(du -sm rootfs | cut -f1) + 64))
rm -f root.img
mke2fs -q -t ext4 -m 0 -O ^has_journal -d rootfs root.img "${size}M"
rm -rf rootfs
step "ready: $(du -ch --apparent-size vmlinux initrd root.img | awk 'END { print $1 }')"
