#!/usr/bin/python3
"""Nova's own registry of the hosts that share an instances directory (nova/virt/storage_users.py).

Arguments: instances path, then one of
  users [PATH...]   prints what get_storage_users gives, as JSON, one line for each path
  register HOST N   registers HOST N times
"""
import json
import sys

from nova import conf
from nova.virt import storage_users

path, command = sys.argv[1], sys.argv[2]
conf.CONF([], default_config_files=[])
conf.CONF.set_override('instances_path', path)
if command == 'users':
    for each in [path] + sys.argv[3:]:
        conf.CONF.set_override('instances_path', each)
        print(json.dumps(storage_users.get_storage_users(each)))
else:
    for _ in range(int(sys.argv[4])):
        storage_users.register_storage_use(path, sys.argv[3])
