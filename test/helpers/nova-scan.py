"""Asks the real Nova what it makes of an instances tree.

Reads JSON from stdin: {"instancesPath": path, "instanceNames": [name, ...]}.
Writes JSON: {"kinds": {file name: kind}, "backing": [path, ...], "usage": bytes} or {"error": message}.
"""
import json
import os
import sys

import nova.conf
from nova.virt.libvirt import imagecache

CONF = nova.conf.CONF
request = json.load(sys.stdin)
CONF([], project='nova', default_config_files=[])
CONF.set_override('instances_path', request['instancesPath'])

manager = imagecache.ImageCacheManager()
base = manager.cache_dir
manager._scan_base_images(base)


def kind(name):
    path = os.path.join(base, name)
    if path in manager.originals:
        return 'original'
    if path in manager.unexplained_images:
        return 'resized'
    if name in manager.back_swap_images:
        return 'swap'
    return 'ephemeral' if name in manager.back_ephemeral_images else 'foreign'


answer = {'kinds': {name: kind(name) for name in os.listdir(base)}, 'usage': manager.get_disk_usage()}
manager.instance_names = set(request['instanceNames'])
try:
    answer['backing'] = sorted(manager._list_backing_images())
except Exception as error:
    answer['error'] = str(error)
json.dump(answer, sys.stdout)
