#!/usr/bin/python3
"""Runs the real Nova's image cache manager on prepared trees: one JSON request per line in, one answer per line out.

File names travel as lower-case hex of their bytes, because they need not be UTF-8. Nothing of the image cache itself is
replaced: only the clock (frozen, so that ages on a limit are exact), the database query for block devices, and a memory
of `qemu-img info` answers by file content (the command is the real one, run once for every different content).

Operations: "write" makes identical trees (tree.py), "describe" says what is there, "run" is one pass of Nova:
Request: {"operation": "run", "instancesPath", "nowMs", "removeUnused", "originalMinimumAge", "resizedMinimumAge", "subdirectory",
          "listBaseFilesFirst": whether to mend one known fault of Nova,
          "instances": [{"name", "uuid", "imageRef", "kernelId", "ramdiskId", "vmState", "taskState",
                         "swapMb": [..], "ephemeral": [{"sizeGb", "filesystem"}]}]}
Answer:  {"aborted": null | text, "active": [..], "removable": [..], "unknown": [..], "unexplainedBacking": [[instance, file]],
          "missingSwap": [..], "missingEphemeral": [..], "removalFailures": [..], "diskUsage": bytes before, "diskUsageAfter": bytes,
          "qemuImg": {"run", "remembered"}}
"""
import hashlib
import json
import logging
import os
import stat
import sys
import types
import warnings

warnings.filterwarnings('ignore')

import nova.conf  # noqa: E402
import nova.privsep  # noqa: E402
import nova.privsep.fs  # noqa: E402
import nova.privsep.qemu  # noqa: E402
import nova.utils  # noqa: E402
from nova import exception  # noqa: E402
from nova import objects  # noqa: E402
from nova.objects import block_device as bdm_objects  # noqa: E402
from nova.virt.libvirt import imagecache  # noqa: E402

import tree  # noqa: E402

CONF = nova.conf.CONF
nova.privsep.sys_admin_pctxt.set_client_mode(False)
CONF([], project='nova', default_config_files=[], default_config_dirs=[])
MAX_REMEMBERED_BYTES = 1 << 20


class NovaHangs(Exception):
    """qemu-img would block for ever here (opening a FIFO)."""


class Capture(logging.Handler):
    """Keeps warnings and errors with their arguments, not their text."""

    def __init__(self):
        super().__init__(logging.WARNING)
        self.records = []

    def emit(self, record):
        self.records.append((record.msg, record.args))


class RememberingQemuImg:
    """`qemu-img info` looks at nothing but the file's content (it does not open the backing file)."""

    def __init__(self, real):
        self.real = real
        self.answers = {}
        self.run = 0
        self.remembered = 0

    def __call__(self, path, format=None):
        try:
            status = os.stat(path)
        except OSError:
            return self.real(path, format=format)
        if stat.S_ISFIFO(status.st_mode):
            raise NovaHangs(path)
        if not stat.S_ISREG(status.st_mode) or status.st_size > MAX_REMEMBERED_BYTES:
            self.run += 1
            return self.real(path, format=format)
        with open(path, 'rb') as disk:
            key = hashlib.sha256(disk.read()).digest()
        if key in self.answers:
            self.remembered += 1
        else:
            self.run += 1
            try:
                self.answers[key] = self.real(path, format=format)
            except exception.InvalidDiskInfo as error:
                self.answers[key] = error
        answer = self.answers[key]
        if isinstance(answer, Exception):
            raise exception.InvalidDiskInfo(reason=str(answer))
        return answer


CAPTURE = Capture()
logging.getLogger('nova').addHandler(CAPTURE)
logging.getLogger('nova').propagate = False
QEMU_IMG = RememberingQemuImg(nova.privsep.qemu.unprivileged_qemu_img_info)
nova.privsep.qemu.unprivileged_qemu_img_info = QEMU_IMG
# Its resource limits cost one more Python process for each disk.
nova.privsep.qemu.QEMU_IMG_LIMITS = None


def to_hex(name):
    return os.fsencode(name).hex()


def base_name(path):
    return to_hex(os.path.basename(path))


def block_device(instance_uuid, size, guest_format):
    return bdm_objects.BlockDeviceMapping(
        None, instance_uuid=instance_uuid, device_name='/dev/vdb', source_type='blank', destination_type='local',
        disk_bus='virtio', device_type='disk', guest_format=guest_format, volume_size=size, boot_index=-1,
        delete_on_termination=True, no_device=False, image_id=None, volume_id=None, snapshot_id=None,
        encrypted=False, encryption_secret_uuid=None, encryption_format=None, encryption_options=None)


def os_type_for(filesystem):
    """Nova derives the file system from the guest's OS type and a configured command; one type for each file system does it."""
    if filesystem is None:
        return None
    os_type = 'os-' + filesystem
    nova.privsep.fs.load_mkfs_command(os_type, filesystem)
    return os_type


def make_instance(spec, block_devices):
    devices = [block_device(spec['uuid'], size, 'swap') for size in spec['swapMb']]
    devices += [block_device(spec['uuid'], disk['sizeGb'], None) for disk in spec['ephemeral']]
    if devices:
        block_devices[spec['uuid']] = bdm_objects.BlockDeviceMappingList(objects=devices)
    filesystem = spec['ephemeral'][0].get('filesystem') if spec['ephemeral'] else None
    return types.SimpleNamespace(
        name=spec['name'], uuid=spec['uuid'], host=CONF.host, image_ref=spec['imageRef'], kernel_id=spec['kernelId'],
        ramdisk_id=spec['ramdiskId'], vm_state=spec['vmState'], task_state=spec['taskState'], os_type=os_type_for(filesystem))


def findings(records):
    found = {'unknown': [], 'unexplainedBacking': [], 'missingSwap': [], 'missingEphemeral': [], 'removalFailures': [], 'other': []}
    for message, args in records:
        if message == 'Unknown base file: %s':
            found['unknown'].append(base_name(args[0]))
        elif message.startswith('Instance %(instance)s is using a backing file'):
            found['unexplainedBacking'].append([to_hex(args['instance']), to_hex(args['backing'])])
        elif message.startswith('%s swap image was used'):
            found['missingSwap'].append(to_hex(args[0]))
        elif message.startswith('%s ephemeral image was used'):
            found['missingEphemeral'].append(to_hex(args[0]))
        elif message.startswith('Failed to remove %(base_file)s'):
            found['removalFailures'].append(base_name(args['base_file']))
        else:
            found['other'].append(str(message))
    return {key: sorted(value) for key, value in found.items()}


def run(request):
    CONF.set_override('instances_path', request['instancesPath'])
    CONF.set_override('subdirectory_name', request['subdirectory'], 'image_cache')
    CONF.set_override('remove_unused_base_images', request['removeUnused'], 'image_cache')
    CONF.set_override('remove_unused_original_minimum_age_seconds', request['originalMinimumAge'], 'image_cache')
    CONF.set_override('remove_unused_resized_minimum_age_seconds', request['resizedMinimumAge'], 'image_cache')
    imagecache.time = types.SimpleNamespace(time=lambda: request['nowMs'] / 1000)
    block_devices = {}
    instances = [make_instance(spec, block_devices) for spec in request['instances']]
    objects.BlockDeviceMappingList.bdms_by_instance_uuid = staticmethod(lambda context, uuids: block_devices)
    manager = imagecache.ImageCacheManager()
    if request['listBaseFilesFirst']:
        # Nova walks a list from which it removes what it finds, and so overlooks the neighbour of each resized file in use.
        find_base_file = manager._find_base_file
        manager._find_base_file = lambda *args: list(find_base_file(*args))
    CAPTURE.records = []
    QEMU_IMG.run = QEMU_IMG.remembered = 0
    answer = {'aborted': None, 'diskUsage': manager.get_disk_usage()}
    try:
        manager.update(None, instances)
    except Exception as error:  # whatever ends Nova's pass is a result to compare
        answer['aborted'] = '%s: %s' % (type(error).__name__, error)
    answer.update(findings(CAPTURE.records))
    answer['active'] = sorted({base_name(path) for path in manager.active_base_files})
    answer['removable'] = sorted({base_name(path) for path in manager.removable_base_files})
    answer['diskUsageAfter'] = manager.get_disk_usage()
    answer['qemuImg'] = {'run': QEMU_IMG.run, 'remembered': QEMU_IMG.remembered}
    return answer


def write_trees(request):
    for root in request['roots']:
        tree.write(root, request['tree'], request['subdirectory'])
    return {}


def describe(request):
    return tree.describe(request['root'], request['subdirectory'])


OPERATIONS = {'run': run, 'write': write_trees, 'describe': describe}


def main():
    for line in sys.stdin:
        request = json.loads(line)
        print(json.dumps(OPERATIONS[request['operation']](request)), flush=True)


if __name__ == '__main__':
    main()
