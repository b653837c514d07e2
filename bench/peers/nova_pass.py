#!/usr/bin/python3
"""One pass of the real Nova's image cache manager, as it is: one qemu-img under its resource limits for each disk.

stdin: {"instancesPath", "removeUnused", "instances": [{"name", "uuid", "imageRef"}]}; stdout: {"importSeconds", "passSeconds", "active"}.
Only the database query for block devices is replaced.
"""
import json
import logging
import sys
import time
import types
import warnings

started = time.monotonic()
warnings.filterwarnings('ignore')

import nova.conf  # noqa: E402
import nova.privsep  # noqa: E402
from nova.objects import block_device  # noqa: E402
from nova.virt.libvirt import imagecache  # noqa: E402

logging.disable(logging.CRITICAL)
CONF = nova.conf.CONF
nova.privsep.sys_admin_pctxt.set_client_mode(False)
CONF([], project='nova', default_config_files=[], default_config_dirs=[])
request = json.load(sys.stdin)
CONF.set_override('instances_path', request['instancesPath'])
CONF.set_override('remove_unused_base_images', request['removeUnused'], 'image_cache')
block_device.BlockDeviceMappingList.bdms_by_instance_uuid = staticmethod(lambda context, uuids: {})
instances = [
    types.SimpleNamespace(name=it['name'], uuid=it['uuid'], host=CONF.host, image_ref=it['imageRef'], kernel_id='', ramdisk_id='',
                          vm_state='active', task_state=None, os_type=None)
    for it in request['instances']]
imported = time.monotonic()
manager = imagecache.ImageCacheManager()
manager.get_disk_usage()
manager.update(None, instances)
ended = time.monotonic()
print(json.dumps({'importSeconds': imported - started, 'passSeconds': ended - imported, 'active': len(manager.active_base_files)}))
