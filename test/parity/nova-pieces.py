#!/usr/bin/python3
"""Prints, for an installed Nova, a digest of every piece of source that Basekeeper is compared with, and the options' defaults, as JSON.

Argument: the directory of the package `nova`. Nova is read, not imported: it needs none of its dependencies.
A digest of a function leaves out comments and white space, so that only a change of the code changes it.
"""
import ast
import hashlib
import io
import json
import os
import sys
import tokenize

FILES = ('virt/libvirt/imagecache.py', 'virt/imagecache.py', 'virt/storage_users.py')

PIECES = (
    ('virt/libvirt/imagebackend.py', 'Image.cache'),
    ('virt/libvirt/imagebackend.py', 'Flat.create_image'),
    ('virt/libvirt/imagebackend.py', 'Qcow2.create_image'),
    ('virt/libvirt/imagebackend.py', 'self.lock_path'),
    ('virt/libvirt/utils.py', 'get_disk_backing_file'),
    ('virt/images.py', 'qemu_img_info'),
    ('privsep/qemu.py', 'unprivileged_qemu_img_info'),
    ('privsep/fs.py', 'get_file_extension_for_os_type'),
    ('privsep/path.py', 'utime'),
    ('utils.py', 'synchronized'),
    ('compute/manager.py', 'ComputeManager._run_image_cache_manager_pass'),
)
OPTIONS = 'conf/imagecache.py'
LAYOUT = (tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT)


def source(root, path):
    with open(os.path.join(root, path), encoding='utf-8') as file:
        return file.read()


def name_of(node):
    if isinstance(node, ast.Assign):
        return ast.unparse(node.targets[0])
    return getattr(node, 'name', None)


def find(tree, name):
    """A function, a method or an assignment; the first one of its name."""
    body = tree
    *classes, last = name.split('.') if not name.startswith('self.') else [name]
    for each in classes:
        body = next(node for node in ast.walk(body) if isinstance(node, ast.ClassDef) and node.name == each)
    return next((node for node in ast.walk(body) if name_of(node) == last), None)


def code_only(text, node):
    if node is None:
        return 'absent'
    body = getattr(node, 'body', [])
    has_doc = isinstance(node, ast.FunctionDef) and ast.get_docstring(node) is not None
    lines = text.splitlines(keepends=True)
    dropped = range(body[0].lineno, body[0].end_lineno + 1) if has_doc else ()
    kept = ''.join(line for number, line in enumerate(lines, 1) if node.lineno <= number <= node.end_lineno and number not in dropped)
    indent = len(kept) - len(kept.lstrip(' '))
    dedented = ''.join(line[indent:] if line.strip() else '\n' for line in kept.splitlines(keepends=True))
    tokens = tokenize.generate_tokens(io.StringIO(dedented).readline)
    return ' '.join(token.string for token in tokens if token.type not in LAYOUT)


def defaults(tree):
    """Name -> default of every option that the file defines."""
    found = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith('Opt') and node.args and isinstance(node.args[0], ast.Constant):
            value = next((keyword.value for keyword in node.keywords if keyword.arg == 'default'), None)
            found[node.args[0].value] = None if value is None else ast.unparse(value)
    return found


def digest(text):
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def main():
    root = sys.argv[1]
    pieces = {path: digest(source(root, path)) for path in FILES}
    for path, name in PIECES:
        text = source(root, path)
        pieces[path + ' ' + name] = digest(code_only(text, find(ast.parse(text), name)))
    pieces[OPTIONS] = digest(json.dumps(defaults(ast.parse(source(root, OPTIONS))), sort_keys=True))
    print(json.dumps({'pieces': pieces, 'defaults': defaults(ast.parse(source(root, OPTIONS)))}))


if __name__ == '__main__':
    main()
