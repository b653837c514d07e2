"""Writes an instances path from a description, and describes what is there. File names are lower-case hex of their bytes.

Description: {"baseExists", "locksExist", "base": [entry], "directories": [{"name", "link": bool, "entries": [entry]}], "locks": [name]}
Entry: {"name", "type": "file|directory|symlink|fifo|socket", "mtimeMs", and for a file "content":
  {"kind": "zeros|data|sparse", "bytes"} | {"kind": "qcow2", "backing": text | null} | {"kind": "truncated-qcow2"} | {"kind": "text", "text"};
  for a symlink "target": hex}.
"{root}" in a backing text stands for the instances path.
"""
import os
import socket
import stat
import struct
import subprocess
import tempfile

HEADER_BYTES = 4096
PLACEHOLDER = 'placeholder'
# The mtime of what is no subject of a pass: copies must not differ in it.
STARTED_MS = 1_790_000_000_000


class Qcow2Template:
    """A qcow2 file as the real qemu-img writes it; only the backing file's name is exchanged."""

    def __init__(self):
        self.bytes = None

    def make(self, backing):
        if self.bytes is None:
            with tempfile.TemporaryDirectory() as directory:
                path = os.path.join(directory, 'template')
                subprocess.run(['qemu-img', 'create', '-q', '-f', 'qcow2', '-u', '-o', 'cluster_size=%d' % HEADER_BYTES,
                                '-b', PLACEHOLDER, '-F', 'raw', path, '1M'], check=True, stdin=subprocess.DEVNULL)
                with open(path, 'rb') as template:
                    self.bytes = template.read()
        image = bytearray(self.bytes)
        offset, = struct.unpack_from('>Q', image, 8)
        image[offset:offset + len(PLACEHOLDER)] = bytes(len(PLACEHOLDER))
        if backing is None:
            struct.pack_into('>QI', image, 8, 0, 0)
        else:
            name = backing.encode('utf-8', 'surrogateescape')[:1023]
            image[offset:offset + len(name)] = name
            struct.pack_into('>QI', image, 8, offset, len(name))
        return bytes(image)


TEMPLATE = Qcow2Template()


def content_bytes(content, root):
    kind = content['kind']
    if kind == 'qcow2':
        backing = content['backing']
        return TEMPLATE.make(None if backing is None else backing.replace('{root}', root))
    if kind == 'truncated-qcow2':
        return TEMPLATE.make(None)[:40]
    if kind == 'text':
        return content['text'].encode()
    return (b'x' if kind == 'data' else b'\0') * content['bytes']


def write_entry(directory, entry, root):
    path = os.path.join(directory, bytes.fromhex(entry['name']))
    kind = entry['type']
    if kind == 'file':
        content = entry['content']
        with open(path, 'wb') as target:
            if content['kind'] == 'sparse':
                target.truncate(content['bytes'])
            else:
                target.write(content_bytes(content, root))
    elif kind == 'directory':
        os.mkdir(path)
    elif kind == 'symlink':
        os.symlink(bytes.fromhex(entry['target']).replace(b'{root}', os.fsencode(root)), path)
    elif kind == 'fifo':
        os.mkfifo(path)
    elif kind == 'socket':
        os.mknod(path, stat.S_IFSOCK | 0o600)
    set_time(path, entry['mtimeMs'])


def set_time(path, mtime_ms):
    os.utime(path, ns=(mtime_ms * 1_000_000, mtime_ms * 1_000_000), follow_symlinks=False)


def write(root, spec, subdirectory):
    os.makedirs(root)
    top = os.fsencode(root)
    if spec['locksExist']:
        os.mkdir(os.path.join(top, b'locks'))
        for name in spec['locks']:
            path = os.path.join(top, b'locks', bytes.fromhex(name))
            with open(path, 'wb'):
                pass
            set_time(path, STARTED_MS)
    if spec['baseExists']:
        base = os.path.join(top, os.fsencode(subdirectory))
        os.mkdir(base)
        # Links last, and their targets keep the time that was set for them.
        for entry in sorted(spec['base'], key=lambda entry: entry['type'] == 'symlink'):
            write_entry(base, entry, root)
    for directory in spec['directories']:
        path = os.path.join(top, bytes.fromhex(directory['name']))
        if directory['link']:
            real = os.path.join(top, b'elsewhere-' + bytes.fromhex(directory['name']))
            os.mkdir(real)
            os.symlink(real, path)
        else:
            os.mkdir(path)
        for entry in directory['entries']:
            write_entry(path, entry, root)
        for made in (path, real) if directory['link'] else (path,):
            set_time(made, STARTED_MS)


def kind_of(mode):
    for kind, test in (('file', stat.S_ISREG), ('directory', stat.S_ISDIR), ('symlink', stat.S_ISLNK), ('fifo', stat.S_ISFIFO)):
        if test(mode):
            return kind
    return 'socket'


def describe(root, subdirectory):
    """Relative path (hex of each part, joined by '/') -> [type, mtime in ns as text]; directories of the cache manager apart."""
    found = {}

    def walk(directory, prefix):
        for name in sorted(os.listdir(directory)):
            path = os.path.join(directory, name)
            status = os.lstat(path)
            key = prefix + name.hex()
            found[key] = [kind_of(status.st_mode), str(status.st_mtime_ns)]
            if stat.S_ISDIR(status.st_mode):
                walk(path, key + '/')

    walk(os.fsencode(root), '')
    return found
